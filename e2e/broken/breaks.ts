/**
 * Twelve ways in which a cluster is broken, each by what a person might do to it, and what `landfall status` and
 * `landfall trace` have to say then. The site is that of `e2e/demo`, with a shop behind Envoy.
 */

import { echo } from '../demo/objects.ts'
import { siteObjects } from '../demo/site.ts'
import type { Lab, Manifest } from '../lab/index.ts'
import { host, namespace, remake, restartEnvoys, shop, sitePart, writeEnvoysAddress } from './objects.ts'

export interface Break {
  readonly name: string
  readonly scheme?: 'https'
  /** Name of the first broken step of `trace`, and its code. */
  readonly at: readonly [step: string, reason: string]
  /** What the messages of both have to name. */
  readonly names: RegExp
  break(lab: Lab): Promise<void>
  mend(lab: Lab): Promise<void>
}

const exclude = 'node.kubernetes.io/exclude-from-external-load-balancers'
const flag = '--no-such-flag'
/** Each character is one of many byte sequences. */
const large = String.raw`\PL{1000}`.repeat(60)

export const breaks: readonly Break[] = [
  {
    name: 'no pool',
    at: ['address', 'NoPools'],
    names: /IPAddressPool/,
    break: (lab) => remake(lab, () => lab.delete(sitePart(lab, 'IPAddressPool'))),
    mend: (lab) => lab.apply(siteObjects(lab)),
  },
  {
    name: 'exhausted pool',
    at: ['address', 'NoFreeAddress'],
    names: /\bdefault\b/,
    break: (lab) =>
      remake(lab, async () => {
        const addresses = ['192.168.77.200/32', 'fd00:77::200/128']
        const [pool = {}] = sitePart(lab, 'IPAddressPool')
        await lab.apply([{ ...pool, spec: { addresses } }, till({ ipFamilyPolicy: 'RequireDualStack' })])
        const wait = '--for=condition=metallb.io/AddressAllocated'
        await lab.kubectl(['wait', wait, 'service/till', '-n', namespace, '--timeout=60s'])
      }),
    mend: async (lab) => {
      await lab.delete([till({})])
      await lab.apply(siteObjects(lab))
    },
  },
  {
    name: 'no advertisement',
    at: ['announcement', 'noMatchingAdvertisement'],
    names: /no L2Advertisement and no BGPAdvertisement/,
    break: (lab) => lab.delete([...sitePart(lab, 'L2Advertisement'), ...sitePart(lab, 'BGPAdvertisement')]),
    mend: (lab) => lab.apply(siteObjects(lab)),
  },
  {
    name: 'session down',
    at: ['announcement', 'noSessionUp'],
    names: /badPeerAS.*64999/s,
    break: async (lab) => {
      await lab.delete(sitePart(lab, 'L2Advertisement'))
      await lab.apply(sitePart(lab, 'BGPPeer').map((peer) => withSpec(peer, { peerASN: 64_999 })))
    },
    mend: (lab) => lab.apply(siteObjects(lab)),
  },
  {
    name: 'wrong selector',
    at: ['endpoints', 'selectorMatchesNothing'],
    names: /app=shopp\b.*app=shop\b/s,
    break: (lab) => lab.apply(echo(namespace, 'shop', { replicas: 2, service: selecting('shopp') }).slice(1)),
    mend: (lab) => lab.apply(shop),
  },
  {
    name: 'no endpoint',
    at: ['endpoints', 'podsNotReady'],
    names: /GET \/ on port 9090/,
    break: async (lab) => {
      await lab.delete(shop.slice(0, 1))
      await lab.apply(
        JSON.stringify(shop[0]).replace('"path":"/health","port":8080', '"path":"/","port":9090'),
      )
    },
    mend: (lab) => lab.apply(shop),
  },
  {
    name: 'Envoy down',
    at: ['entry', 'podsNotReady'],
    names: /container envoy: .*it ended with exit code 1: .*--no-such-flag/,
    break: (lab) => restartEnvoys(lab, (all) => [...all, flag]),
    mend: (lab) => restartEnvoys(lab, (all) => all.filter((one) => one !== flag)),
  },
  {
    name: 'object refused by Envoy',
    at: ['virtual host', 'EnvoyRefused'],
    names: /HTTPProxy web\/shop/,
    // Of a size that only the RE2 of C++ refuses.
    break: (lab) => lab.apply([host({ route: { conditions: [{ regex: `/(${large})?` }] } })]),
    mend: replaceHost,
  },
  {
    name: 'certificate missing',
    scheme: 'https',
    at: ['virtual host', 'SecretNotValid'],
    names: /web\/shop-tls/,
    break: (lab) => lab.apply([host({ tls: { secretName: 'shop-tls' } })]),
    mend: replaceHost,
  },
  {
    name: 'wrong class',
    at: ['virtual host', 'otherIngressClass'],
    names: /class "nginx"/,
    break: (lab) => lab.apply([host({ more: { ingressClassName: 'nginx' } })]),
    mend: replaceHost,
  },
  {
    name: 'excluded node',
    at: ['announcement', 'nodeLabeledExcludeBalancers'],
    names: /exclude/,
    break: async (lab) => void (await lab.kubectl(['label', 'nodes', '--all', `${exclude}=`])),
    mend: async (lab) => void (await lab.kubectl(['label', 'nodes', '--all', `${exclude}-`])),
  },
  {
    name: 'two programs fighting over one address',
    at: ['address', 'addressTwice'],
    names: /web\/till.*example\.com\/other.*"other-balancer" wrote/s,
    break: async (lab) => {
      await lab.apply([till({ loadBalancerClass: 'example.com/other' })])
      await writeEnvoysAddress(lab, 'till', 'other-balancer')
    },
    mend: (lab) => lab.delete([till({})]),
  },
]

/** Another Service of the same pods. */
function till(spec: object): Manifest {
  const ports = [{ port: 80, targetPort: 8080 }]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'till', namespace },
    spec: { type: 'LoadBalancer', selector: { app: 'shop' }, ports, ...spec },
  }
}

function selecting(app: string): object {
  return { selector: { app } }
}

function withSpec(one: Manifest, more: object): Manifest {
  const spec = typeof one['spec'] === 'object' ? one['spec'] : {}
  return { ...one, spec: { ...spec, ...more } }
}

/** A field that a merge would keep is gone, too. */
async function replaceHost(lab: Lab): Promise<void> {
  await lab.kubectl(['delete', 'httpproxy', 'shop', '-n', namespace])
  await lab.apply(shop)
}
