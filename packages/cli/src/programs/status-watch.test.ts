/** `status --watch`, as a user runs it and interrupts it, on an API server that the test answers for. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Answer, FakeApiServer } from '@landfall/kube/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../main.ts', import.meta.url))
const patient = { timeout: 30_000, interval: 50 }
let server: FakeApiServer
let folder: string
let child: ChildProcess | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'landfall-watch-'))
  server = new FakeApiServer(listing())
  await server.listen()
})

afterEach(async () => {
  child?.kill('SIGKILL')
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Of everything nothing but these Services. */
function listing(...services: readonly string[]): Answer {
  return ({ path }) => {
    const items = path === '/api/v1/services' ? services.map(serviceOf) : []
    return { body: { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '1' }, items } }
  }
}

function serviceOf(name: string): object {
  const metadata = { namespace: 'default', name, uid: name, resourceVersion: '1' }
  return {
    metadata,
    spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ports: [{ port: 80 }] },
    status: {},
  }
}

/** @returns its lines, as they come */
function watch(...flags: readonly string[]): readonly string[] {
  const kubeconfig = join(folder, 'kubeconfig')
  const at = { server: `http://127.0.0.1:${server.port}`, 'insecure-skip-tls-verify': true }
  const cluster = { name: 'a', cluster: at }
  const context = { name: 'a', context: { cluster: 'a', user: 'a' } }
  const config = {
    'current-context': 'a',
    clusters: [cluster],
    contexts: [context],
    users: [{ name: 'a', user: {} }],
  }
  writeFileSync(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config }))
  const args = ['--disable-warning=ExperimentalWarning', program, 'status', `--kubeconfig=${kubeconfig}`]
  const started = spawn(process.execPath, [...args, '--no-live', '--watch=1', ...flags])
  const lines: string[] = []
  createInterface({ input: started.stdout }).on('line', (line) => lines.push(line))
  child = started
  return lines
}

test('it looks again and again, goes on when the API server is away, and ends when it is interrupted', {
  timeout: 90_000,
}, async () => {
  const lines = watch('--output=json')
  const last = () => lines.at(-1) ?? ''
  await expect.poll(() => lines.length, patient).toBeGreaterThan(1)
  expect(lines.map((line) => JSON.parse(line).ok)).toEqual(lines.map(() => false))
  expect(last()).not.toContain('first-service')
  server.answer = listing('first-service')
  await expect.poll(last, patient).toMatch(/^\{.*first-service/)
  server.answer = () => 'reset'
  await expect.poll(last, patient).not.toMatch(/^\{/)
  server.answer = listing('second-service')
  await expect.poll(last, patient).toMatch(/^\{.*second-service/)
  expect(lines.join('')).not.toContain('\u001B')
  const ended = child && once(child, 'exit')
  child?.kill('SIGINT')
  expect(await ended).toEqual([1, null])
})
