/**
 * What the guides' commands print, where an API server alone prints it: columns, selectors, pending addresses. A test's
 * number is its row in README.md.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** A table of kubectl without what differs each time: the addresses that the cluster gives, ports of nodes, ages. */
function steady(printed: string): readonly (readonly string[])[] {
  const rows = printed.trim().split('\n')
  return rows.map((row) =>
    row.split(/\s{2,}/).map((cell) =>
      cell
        .trim()
        .replace(/^10\.96\.\d+\.\d+$/, 'CLUSTER-IP')
        .replace(/:\d{5}\//g, ':NODEPORT/')
        .replace(/^(\d+[dhms])+$|^<unknown>$/, 'AGE'),
    ),
  )
}

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 120_000 }, () => {
  let server: RealApiServer
  let created = 0

  beforeAll(async () => {
    server = await RealApiServer.start()
  }, 90_000)

  afterAll(() => server?.stop())

  it('0.1, 2.1: before anything is installed a Service has no address', async () => {
    created = Date.now()
    await server.run(['apply', '-f', path('002-under-the-hood/load-balancer-service.yaml')])
    const printed = await server.run(['get', 'service', 'load-balancer-service', '-o', 'wide'])
    expect(steady(printed)).toEqual([
      ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE', 'SELECTOR'],
      [
        'load-balancer-service',
        'LoadBalancer',
        'CLUSTER-IP',
        '<pending>',
        '80:NODEPORT/TCP',
        'AGE',
        'app=guestbook,tier=frontend',
      ],
    ])
  })

  it('4.1: kubectl create makes each object of the manifest, once', async () => {
    const lines = (await server.run(['create', '-f', path('../../manifests/metallb.yaml')]))
      .trim()
      .split('\n')
    expect(lines.length).toBeGreaterThan(20)
    expect(lines.filter((line) => !line.endsWith(' created'))).toEqual([])
    expect(new Set(lines).size).toBe(lines.length)
  })

  it('2.2: the Deployment is the one that the guide shows', async () => {
    const printed = await server.run(['get', 'deploy', '-n', 'metallb-system', '-o', 'wide'])
    expect(steady(printed)).toEqual([
      ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE', 'CONTAINERS', 'IMAGES', 'SELECTOR'],
      [
        'controller',
        '0/1',
        '0',
        '0',
        'AGE',
        'controller',
        expect.stringMatching(/^landfall\/controller:\d/),
        'app=metallb,component=controller',
      ],
    ])
  })

  it('2.5, 3.4: the guides’ ConfigMaps are taken', async () => {
    expect(await server.run(['apply', '-f', path('003-raspberry-pi/config.yml')])).toBe(
      'configmap/config created\n',
    )
    expect(await server.run(['apply', '-f', path('002-under-the-hood/metallb-config.yaml')])).toBe(
      'configmap/config configured\n',
    )
  })

  it('3.1, 3.11: a Deployment is exposed, and pending', async () => {
    await server.run(['create', 'deployment', 'nginx', '--image=nginx'])
    const exposed = await server.run(['expose', 'deploy', 'nginx', '--port', '80', '--type', 'LoadBalancer'])
    expect(exposed).toBe('service/nginx exposed\n')
    const printed = steady(await server.run(['get', 'services', 'nginx', '-o', 'wide']))
    expect(printed[1]).toEqual([
      'nginx',
      'LoadBalancer',
      'CLUSTER-IP',
      '<pending>',
      '80:NODEPORT/TCP',
      'AGE',
      'app=nginx',
    ])
  })

  it('4.2: the speakers’ nodes are patched as the guide has them', async () => {
    const patch = [
      'patch',
      'daemonset',
      'speaker',
      '-n',
      'metallb-system',
      '--patch-file',
      path('004-rke/speaker-nodes.yaml'),
    ]
    expect(await server.run(patch)).toBe('daemonset.apps/speaker patched\n')
    const [, row] = steady(await server.run(['get', 'daemonset', 'speaker', '-n', 'metallb-system']))
    expect(row).toContain('kubernetes.io/os=linux,vlan=50')
  })

  it('4.7: the example of the guide is made', async () => {
    const printed = await server.run(['create', '-f', path('004-rke/simplehttp.yml')])
    expect(printed).toBe(
      'namespace/metal-test created\nservice/nginx created\nstatefulset.apps/http created\n',
    )
    const [, row] = steady(await server.run(['get', 'svc', 'nginx', '-n', 'metal-test']))
    expect(row).toEqual(['nginx', 'LoadBalancer', 'CLUSTER-IP', '<pending>', '80:NODEPORT/TCP', 'AGE'])
  })

  it('guestbook of the guide is what its Service selects', async () => {
    await server.run(['apply', '-f', path('002-under-the-hood/guestbook.yaml')])
    const labels = '-o=jsonpath={.spec.template.metadata.labels}'
    const of = JSON.parse(await server.run(['get', 'deployment', 'frontend', labels])) as object
    const selector = '-o=jsonpath={.spec.selector}'
    expect(of).toEqual(JSON.parse(await server.run(['get', 'service', 'load-balancer-service', selector])))
  })

  it('0.1: nor has it one after a minute', async () => {
    await wait(Math.max(0, created + 60_000 - Date.now()))
    const status = '-o=jsonpath={.status.loadBalancer}'
    expect(await server.run(['get', 'service', 'load-balancer-service', status])).toBe('{}')
  })
})
