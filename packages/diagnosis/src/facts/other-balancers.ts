/** Pods of other load balancers, by their images: who else may give an address away, or answer for it. */
import { keyOf } from '@landfall/kube/model'
import type { Observed, PodFacts } from '../observed.ts'

/** Each with what its images are called. */
const known: readonly (readonly [name: string, image: RegExp])[] = [
  ['MetalLB', /metallb/i],
  ["k3s's servicelb", /klipper-lb/],
  ['kube-vip', /kube-vip/],
  ['PureLB', /purelb/],
  ['OpenELB', /openelb/],
]

/** As `kube-vip (pod kube-system/kube-vip-n1 and 2 more)`, a text for each that runs. */
export function otherBalancers({ pods }: Pick<Observed, 'pods'>): readonly string[] {
  return known.flatMap(([name, image]) => {
    const [first, ...more] = pods.items.filter((pod) => runs(pod, image))
    if (first === undefined) return []
    const rest = more.length === 0 ? '' : ` and ${more.length} more`
    return [`${name} (pod ${keyOf(first.meta)}${rest})`]
  })
}

/** Who may answer at an address beside the node that is to. */
export function suspects(observed: Pick<Observed, 'pods'>): string {
  const here = otherBalancers(observed)
  const elsewhere = 'a host with a static address'
  return here.length === 0
    ? `a speaker of MetalLB, k3s's servicelb or kube-vip of another cluster, or ${elsewhere}`
    : `${here.join(', ')} of this cluster, a load balancer of another, or ${elsewhere}`
}

function runs({ images, phase }: PodFacts, image: RegExp): boolean {
  return phase === 'Running' && images.some((one) => image.test(one) && !/landfall/i.test(one))
}
