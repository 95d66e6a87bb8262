/** `docs/install.md` from its third step to its first answer, by its own commands and files, on a lab of its own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, type Lab } from '../lab/index.ts'
import { GuideScript } from '../seeds/script.ts'
import { broken } from './invariants.ts'

const document = join(import.meta.dirname, '..', '..', 'docs', 'install.md')
const isOfUs = /^[3-5]\. /

/** Lines of the blocks of code, in their order. */
const commands = readFileSync(document, 'utf8')
  .split(/^## /m)
  .filter((section) => isOfUs.test(section))
  .flatMap((section) => [...section.matchAll(/^```sh\n([^]*?)^```$/gm)])
  .flatMap(([, block = '']) => block.trim().split('\n'))

describe('our own guide', { timeout: 300_000 }, () => {
  let lab: Lab
  let reader: GuideScript | undefined

  beforeAll(async () => {
    lab = await createLab({ nodes: 3 })
    reader = new GuideScript(lab)
  })

  afterAll(async () => {
    reader?.end()
    await lab?.down()
  })

  it('leads from nothing to curl', async () => {
    const programs = commands.map((line) => line.split(' ')[0])
    expect(programs).toEqual(['sed', ...Array.from({ length: 8 }, () => 'kubectl'), 'curl'])
    let address = ''
    for (const line of commands) {
      const prints = line.startsWith('curl') ? ['...', 'Name: hello', '...'] : ['...']
      expect(await reader?.look(line.replace('EXTERNAL-IP', address), prints)).toBe('')
      if (line.startsWith('kubectl get svc')) address = await addressBy(line)
    }
    expect(await reader?.look('bin/landfall status')).toBe('')
    const traced = `bin/landfall trace http://hello.example.com/ --address ${address}`
    expect(await reader?.look(traced, ['...', 'It works.'])).toBe('')
    expect(await broken(lab)).toEqual([])
  })

  /** EXTERNAL-IP, as soon as there is one. */
  async function addressBy(line: string): Promise<string> {
    const path = '{.status.loadBalancer.ingress[0].ip}'
    return await lab.waitFor('EXTERNAL-IP', async () => {
      const { stdout } = (await reader?.shell(`${line} -o jsonpath='${path}'`)) ?? { stdout: '' }
      return stdout
    })
  }
})
