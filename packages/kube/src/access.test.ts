import { mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findAccess } from './find-access.ts'
import { podAccess } from './pod-access.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('a pod', () => {
  beforeEach(() => {
    writeFileSync(join(folder, 'token'), 'first\n')
    writeFileSync(join(folder, 'namespace'), 'shop\n')
    writeFileSync(join(folder, 'ca-1'), 'CA 1')
    symlinkSync(join(folder, 'ca-1'), join(folder, 'ca.crt'))
  })

  it.each([
    ['10.96.0.1', 'https://10.96.0.1:6443/'],
    ['fd00:10:96::1', 'https://[fd00:10:96::1]:6443/'],
    ['kubernetes.default.svc', 'https://kubernetes.default.svc:6443/'],
  ])('finds the server at %s', (host, href) => {
    const access = podAccess({ host, port: '6443', folder })
    expect([access.server.href, access.namespace]).toEqual([href, 'shop'])
  })

  it('takes a new token when the old one is refused', async () => {
    const access = podAccess({ host: '10.0.0.1', port: '443', folder })
    expect(await access.headers()).toEqual({ authorization: 'Bearer first' })
    writeFileSync(join(folder, 'token'), 'second')
    expect(await access.headers()).toEqual({ authorization: 'Bearer first' })
    access.refused()
    expect(await access.headers()).toEqual({ authorization: 'Bearer second' })
  })

  it('takes a new CA when the file is swapped, and keeps one that is only touched', () => {
    const access = podAccess({ host: '10.0.0.1', port: '443', folder })
    const first = access.tls()
    expect(first).toEqual({ ca: 'CA 1' })
    utimesSync(join(folder, 'ca-1'), 1, 1)
    expect(access.tls()).toBe(first)
    writeFileSync(join(folder, 'ca-2'), 'CA 2')
    utimesSync(join(folder, 'ca-2'), 2, 2)
    symlinkSync(join(folder, 'ca-2'), join(folder, 'new'))
    renameSync(join(folder, 'new'), join(folder, 'ca.crt'))
    expect(access.tls()).toEqual({ ca: 'CA 2' })
  })
})

describe('the cluster', () => {
  const kubeconfig = (name: string, server: string) => {
    const path = join(folder, name)
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      contexts: [{ name, context: { cluster: name, user: name, namespace: 'shop' } }],
      clusters: [
        { name, cluster: { server, 'certificate-authority-data': Buffer.from('CA').toString('base64') } },
      ],
      users: [{ name, user: { token: `token-${name}` } }],
    }
    writeFileSync(path, JSON.stringify(config))
    return path
  }

  it('is that of --kubeconfig, then of KUBECONFIG, then of the pod', async () => {
    const [flag, first, second] = [
      kubeconfig('flag', 'https://flag:6443'),
      kubeconfig('first', 'https://first:6443'),
      kubeconfig('second', 'https://second:6443'),
    ]
    const env = {
      KUBECONFIG: `${join(folder, 'absent')}:${first}:${second}`,
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
    }
    expect((await findAccess(flag, env)).server.host).toBe('flag:6443')
    const access = await findAccess(undefined, env)
    expect([access.server.host, access.namespace, await access.headers(), String(access.tls().ca)]).toEqual([
      'first:6443',
      'shop',
      { Authorization: 'Bearer token-first' },
      'CA',
    ])
    expect(access.tls()).toBe(access.tls())
  })

  it('is missed with a sentence that names the file', async () => {
    await expect(findAccess(join(folder, 'absent'), {})).rejects.toThrow(/absent/)
    writeFileSync(
      join(folder, 'empty'),
      '{"apiVersion":"v1","kind":"Config","clusters":[],"contexts":[],"users":[]}',
    )
    await expect(findAccess(join(folder, 'empty'), {})).rejects.toThrow(/empty: no current context/)
  })
})
