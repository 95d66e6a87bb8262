import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { hostNamed, hostsOf, labTopology } from '../topology/topology.ts'
import { makeCertificates } from './certificates.ts'
import { apiServerUrl, identities, kubeconfig, tokenFile } from './identities.ts'

const topology = labTopology({ id: 'x', nodes: 2 })

test('the server certificate is signed by the authority and holds every name and address', async () => {
  const made = await makeCertificates({
    addresses: ['192.168.77.2', 'fd00:77::2'],
    names: ['kubernetes.default.svc'],
  })
  const server = new X509Certificate(made.serverCertificate)
  const ca = new X509Certificate(made.ca)
  expect(server.verify(ca.publicKey)).toBe(true)
  expect(server.checkIP('192.168.77.2')).toBe('192.168.77.2')
  expect(server.checkIP('fd00:77::2')).toBeDefined()
  expect(server.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc')
  expect(server.checkHost('example.org')).toBeUndefined()
  expect(ca.ca).toBe(true)
})

test('a token for each identity; groups are one quoted field', () => {
  const credentials = identities(hostsOf(topology, 'node')).map((i, n) => ({ ...i, token: `t${n}` }))
  expect(tokenFile(credentials).trimEnd().split('\n')).toEqual([
    't0,admin,admin,"system:masters"',
    't1,system:kube-controller-manager,controller-manager,""',
    't2,system:kube-scheduler,scheduler,""',
    't3,system:kube-proxy,kube-proxy,""',
    't4,system:node:n1,n1,"system:nodes,system:masters"',
    't5,system:node:n2,n2,"system:nodes,system:masters"',
  ])
})

test('a kubeconfig names the server on the LAN and carries the authority', () => {
  const credential = { name: 'admin', user: 'admin', groups: [], token: 'secret' }
  const text = kubeconfig({ server: apiServerUrl(hostNamed(topology, 'cp')), ca: 'PEM', credential })
  expect(parse(text)).toMatchObject({
    clusters: [{ cluster: { server: 'https://192.168.77.2:6443', 'certificate-authority-data': 'UEVN' } }],
    users: [{ user: { token: 'secret' } }],
  })
})
