/** The guide's command, as a user runs it, against a real API server; the test plays controllers and kubelets. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

const program = fileURLToPath(new URL('../entry/lokoctl.ts', import.meta.url))
const guide = readFileSync(
  new URL('../../../../e2e/seeds/000-lokomotive/ingress.lokocfg', import.meta.url),
  'utf8',
)

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 300_000 }, () => {
  let server: RealApiServer
  let folder: string

  beforeAll(async () => {
    server = await RealApiServer.start()
    folder = mkdtempSync(join(tmpdir(), 'landfall-install-'))
    writeFileSync(join(folder, 'kubeconfig'), server.kubeconfig())
  }, 90_000)

  afterAll(async () => {
    await server?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  function lokoctl(...args: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: join(folder, 'kubeconfig') }
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
        cwd: folder,
        env,
      })
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (chunk) => (stdout += String(chunk)))
      child.stderr.on('data', (chunk) => (stderr += String(chunk)))
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
  }

  /** Every workload that there is, as if its pods ran. */
  async function playKubelets(signal: AbortSignal): Promise<void> {
    const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True' }))
    const done = {
      job: {
        startTime: '2026-01-01T00:00:00Z',
        completionTime: '2026-01-01T00:00:01Z',
        succeeded: 1,
        conditions,
      },
      deployment: {
        observedGeneration: 100,
        replicas: 2,
        updatedReplicas: 2,
        readyReplicas: 2,
        availableReplicas: 2,
      },
      daemonset: {
        observedGeneration: 100,
        desiredNumberScheduled: 1,
        currentNumberScheduled: 1,
        updatedNumberScheduled: 1,
        numberMisscheduled: 0,
        numberReady: 1,
        numberAvailable: 1,
      },
    }
    while (!signal.aborted) {
      for (const [kind, status] of Object.entries(done)) {
        const names = await server.kubectl([
          'get',
          kind,
          '-A',
          '-o=jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{"\\n"}{end}',
        ])
        for (const line of names.stdout.split('\n').filter((one) => one !== '')) {
          const [namespace = '', name = ''] = line.split(' ')
          const patch = JSON.stringify({ status })
          await server.kubectl([
            'patch',
            kind,
            name,
            '-n',
            namespace,
            '--subresource=status',
            '--type=merge',
            '-p',
            patch,
          ])
        }
      }
      await sleep(200)
    }
  }

  it('0.3: with the placeholder nothing is installed, and the exit code says so', async () => {
    writeFileSync(join(folder, 'ingress.lokocfg'), guide)
    const { code, stdout, stderr } = await lokoctl('component', 'install')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(
      'ingress.lokocfg:4:16: component "metallb": address_pools: pool "default": "a.b.c.d/X"',
    )
    expect(await server.run(['get', 'namespaces', '-o=name'])).not.toContain('metallb-system')
  })

  it('0.4: the guide’s command installs both, in the order of the file, and changes nothing the second time', async () => {
    writeFileSync(join(folder, 'ingress.lokocfg'), guide.replace('a.b.c.d/X', '198.51.100.0/28'))
    const kubelets = new AbortController()
    const playing = playKubelets(kubelets.signal)
    onTestFinished(() => kubelets.abort())
    const first = await lokoctl('component', 'install')
    const second = await lokoctl('component', 'apply')
    kubelets.abort()
    await playing
    const lines = (text: string) =>
      text
        .trim()
        .split('\n')
        .filter((line) => !/^Waiting for |is ready$/.test(line))
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(lines(first.stdout)).toEqual([
      "Installing component 'metallb'...",
      expect.stringMatching(/^\d+ created$/),
      "Successfully installed component 'metallb'!",
      "Installing component 'contour'...",
      expect.stringMatching(/^\d+ created$/),
      "Successfully installed component 'contour'!",
    ])
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(lines(second.stdout)).toEqual([
      "Applying component 'metallb'...",
      expect.stringMatching(/^\d+ unchanged$/),
      "Successfully applied component 'metallb' configuration!",
      "Applying component 'contour'...",
      expect.stringMatching(/^\d+ unchanged$/),
      "Successfully applied component 'contour' configuration!",
    ])
  })

  it('one that fails does not keep the next from being applied, and the exit code says which failed', async () => {
    const monitored = guide.replace('"metallb" {', '"metallb" {\n  service_monitor = true')
    writeFileSync(join(folder, 'ingress.lokocfg'), monitored.replace('a.b.c.d/X', '198.51.100.0/28'))
    const { code, stdout, stderr } = await lokoctl('component', 'apply')
    expect(code).toBe(1)
    expect(stdout).not.toContain("applied component 'metallb'")
    expect(stdout).toContain("Successfully applied component 'contour' configuration!\n")
    expect(stderr).toMatch(/^component 'metallb': not all of it is applied:\n {2}.*prometheus-operator/)
    expect(stderr).toMatch(/\nlokoctl: 1 of 2 components failed: metallb\n$/)
  })

  it('deletes one when told that it is meant, and asks nobody who is not there', async () => {
    expect(await lokoctl('component', 'delete', 'contour')).toMatchObject({
      code: 1,
      stderr: 'lokoctl: standard input is no terminal to ask on; give --confirm\n',
    })
    const { code, stdout } = await lokoctl('component', 'delete', 'contour', '--confirm')
    expect(code).toBe(0)
    expect(stdout).toContain('  Deployment projectcontour/contour\n')
    expect(stdout.trim().split('\n').slice(-2)).toEqual([
      "Deleting component 'contour'...",
      "Successfully deleted component 'contour'!",
    ])
    expect(await server.run(['get', 'deployments', '-A', '-o=name'])).toBe('deployment.apps/controller\n')
  })
})
