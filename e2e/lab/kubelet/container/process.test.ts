// Real processes in real namespaces: needs root, and nothing else of the lab.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processesBelow } from '../process/identity.ts'
import { ContainerProcess } from './process.ts'
import type { ContainerPlan } from './script.ts'

let base: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'container-')))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

function plan(script: string, changes: Partial<ContainerPlan> = {}): ContainerPlan {
  return {
    hostname: 'the-pod',
    networkNamespace: undefined,
    mounts: [],
    identity: { uid: 0, gid: 0, groups: [], capabilities: ['net_raw'], noNewPrivileges: true },
    environment: new Map([['PATH', '/usr/bin:/bin']]),
    argv: ['sh', '-c', script],
    workingDirectory: '/',
    readOnlyRoot: false,
    privileged: false,
    ...changes,
  }
}

async function start(container: ContainerPlan) {
  const chunks: Buffer[] = []
  const process = await ContainerProcess.start({
    plan: container,
    directory: join(base, 'run'),
    stateFile: join(base, 'state.json'),
    onOutput: (chunk) => chunks.push(chunk),
  })
  return { process, output: () => Buffer.concat(chunks).toString() }
}

describe.skipIf(process.getuid?.() !== 0)('as root', () => {
  test('uid 0 with NET_RAW has NET_RAW and nothing else, under one pid and its own hostname', async () => {
    const { process, output } = await start(
      plan(
        'grep -E "^(Cap(Prm|Eff|Bnd)|NoNew)" /proc/self/status; echo $$; cat /proc/sys/kernel/hostname; exit 7',
      ),
    )
    expect(await process.exited).toEqual({ code: 7, signal: undefined })
    const only = '0000000000002000'
    expect(output().replaceAll('\t', ' ')).toBe(
      `CapPrm: ${only}\nCapEff: ${only}\nCapBnd: ${only}\nNoNewPrivs: 1\n${process.pid}\nthe-pod\n`,
    )
  })

  test('a user without rights writes to /dev/stdout and to its volume, not to the root', async () => {
    const volume = join(base, 'volume')
    mkdirSync(volume, { mode: 0o777 })
    writeFileSync(join(volume, 'in'), 'given')
    const identity = { uid: 65534, gid: 65534, groups: [], capabilities: [], noNewPrivileges: true }
    const { process, output } = await start(
      plan('echo out > /dev/stdout; cat /var/run/x/in; touch /y 2>/dev/null || echo refused', {
        identity,
        readOnlyRoot: true,
        mounts: [{ source: volume, target: '/run/x', kind: 'directory', readOnly: true }],
      }),
    )
    expect((await process.exited).code).toBe(0)
    expect(output()).toBe('out\ngivenrefused\n')
    expect(existsSync('/run/x')).toBe(false)
  })

  test('what a container leaves behind in a session of its own ends with it', async () => {
    const { process } = await start(plan('setsid sleep 1000 & setsid sleep 1000 & sleep 0.2'))
    await process.exited
    expect(processesBelow(base)).toEqual([])
  })

  test('a command inside the living container, and the signal that ended it', async () => {
    const { process } = await start(plan('echo mark > /tmp/file; exec sleep 1000'))
    const look = () => process.exec(['sh', '-c', 'cat /tmp/file && cat /proc/sys/kernel/hostname'], 30_000)
    await expect.poll(async () => (await look()).output).toBe('mark\nthe-pod\n')
    expect((await process.exec(['false'], 30_000)).code).toBe(1)
    expect((await process.exec(['sleep', '9'], 100)).output).toContain('timed out')
    process.signal('SIGTERM')
    expect(await process.exited).toEqual({ code: 143, signal: 'SIGTERM' })
  })
})
