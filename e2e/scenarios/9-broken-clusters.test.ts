/**
 * `landfall status` and `landfall trace`, of the lab while nothing is wrong, and while it is broken in one of twelve ways:
 * what they say names the cause. With LANDFALL_BROKEN=FOLDER all that they print is written there, for somebody to judge who
 * does not know what was broken: see e2e/broken/README.md.
 */
import { randomInt } from 'node:crypto'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { breaks } from '../broken/breaks.ts'
import { fqdn, namespace, shop } from '../broken/objects.ts'
import { labPaths } from '../lab/state/lab-state.ts'
import { namespaceObject, scenarioLab } from './site.ts'

const lab = scenarioLab()
const { bundles, kubeconfig } = labPaths(lab.id)
const folder = process.env['LANDFALL_BROKEN']
/** With a machine that has much else to do: each look is two programs' start, and a session's way back takes seconds. */
const patienceMs = 90_000

interface Printed {
  readonly code: number
  readonly text: string
}

interface Findings {
  readonly ok: boolean
  readonly findings: readonly { readonly severity: string; readonly reason: string }[]
  readonly envoys: readonly { readonly reading?: { readonly kind: string } }[]
}

describe('what status and trace say', () => {
  beforeAll(async () => {
    await lab.apply([namespaceObject(namespace), ...shop])
    await works()
  })

  afterAll(() => lab.kubectl(['delete', 'namespace', namespace, '--wait=false']))

  it('of a cluster that works: nothing, and what every Envoy says of itself', async () => {
    const status = await lab.waitFor('nothing to be wrong', async () => {
      const { code, text } = await landfall('status', '-o', 'json')
      const found: Findings = JSON.parse(text)
      return code === 0 && found
    })
    expect(status.findings.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(status.envoys.map(({ reading }) => reading?.kind)).toEqual(lab.nodes.map(() => 'figures'))
    expect((await landfall('status')).text).toMatch(/connected, \d listeners/)
    const { code, text } = await traced('http')
    expect(code === 0 && text.endsWith('It works.\n') ? '' : text).toBe('')
  })

  const numbers = shuffled(breaks.map((_, index) => index + 1))

  it.each(breaks.map((one, index) => ({ ...one, number: numbers[index] ?? 0 })))(
    'of $name',
    async (broken) => {
      const { name, at, names, number, scheme = 'http' } = broken
      try {
        await broken.break(lab)
        const wanted = `Broken at ${at[0]}: ${at[1]}: `
        const told = async () => {
          const { text } = await traced(scheme)
          return text.includes(wanted) && names.test(text)
        }
        await lab.waitFor(wanted, told, { timeoutMs: patienceMs }).catch(() => 'said below')
        const status = await landfall('status')
        const trace = await traced(scheme)
        if (folder !== undefined) write(folder, { name, number, scheme, status, trace })
        expect(trace.text).toContain(wanted)
        expect(trace.text).toMatch(names)
        expect([trace.code, status.code]).toEqual([1, 1])
        expect(status.text).toMatch(names)
      } finally {
        await broken.mend(lab)
        await works()
      }
    },
    3 * patienceMs,
  )
})

async function landfall(...args: readonly string[]): Promise<Printed> {
  const program = [process.execPath, join(bundles, 'landfall.mjs')]
  const { code, stdout, stderr } = await lab.client.tryRun([...program, ...args, '--kubeconfig', kubeconfig])
  return { code, text: stdout + stderr }
}

/** From the LAN; to the address that Envoy has, for the name is in no DNS. */
async function traced(scheme: string): Promise<Printed> {
  const path = '{.status.loadBalancer.ingress[0].ip}'
  const of = ['get', 'service', 'envoy', '-n', 'projectcontour', `-o=jsonpath=${path}`]
  const address = await lab.kubectl(of)
  return await landfall('trace', `${scheme}://${fqdn}/`, ...(address === '' ? [] : ['--address', address]))
}

/** The shop is served, and everybody agrees on it: nothing is left of what was broken before. */
async function works(): Promise<void> {
  const works = async () =>
    (await traced('http')).text.endsWith('It works.\n') && (await landfall('status')).code === 0
  await lab.waitFor('the shop to be served', works, { timeoutMs: patienceMs })
}

interface Evidence {
  readonly name: string
  readonly number: number
  readonly scheme: string
  readonly status: Printed
  readonly trace: Printed
}

/** What was broken stands beside the folder, not in it. */
function write(into: string, { name, number, scheme, status, trace }: Evidence): void {
  mkdirSync(into, { recursive: true })
  const file = `${String(number).padStart(2, '0')}.txt`
  const commands = [
    `$ landfall status   # exit code ${status.code}\n${status.text}`,
    `$ landfall trace ${scheme}://${fqdn}/   # exit code ${trace.code}\n${trace.text}`,
  ]
  writeFileSync(join(into, file), commands.join('\n'))
  appendFileSync(`${into}-key.txt`, `${file}  ${name}\n`)
}

function shuffled(all: readonly number[]): readonly number[] {
  const left = [...all]
  return all.flatMap(() => left.splice(randomInt(left.length), 1))
}
