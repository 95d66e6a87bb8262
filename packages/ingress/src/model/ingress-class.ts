/**
 * Which Ingress and HTTPProxy objects are ours: the annotation `projectcontour.io/ingress.class`, then
 * `kubernetes.io/ingress.class`, then `spec.ingressClassName`, by name only (IngressClass objects are not read).
 */
import type { HTTPProxy } from '@landfall/api'
import type { Ingress, Meta } from '@landfall/kube/model'

const annotations = ['projectcontour.io/ingress.class', 'kubernetes.io/ingress.class']

/** `wanted` empty: objects without a class and those of class `contour`. Otherwise exactly its members. */
export function isOurClass(meta: Meta, specClass: string, wanted: readonly string[]): boolean {
  const annotated = annotations.map((name) => meta.annotations[name]).find((value) => value !== undefined)
  const name = annotated ?? specClass
  return wanted.length === 0 ? name === '' || name === 'contour' : wanted.includes(name)
}

export function isOurIngress(ingress: Ingress, wanted: readonly string[]): boolean {
  return isOurClass(ingress.meta, ingress.ingressClassName, wanted)
}

export function isOurProxy(proxy: HTTPProxy, wanted: readonly string[]): boolean {
  return isOurClass(proxy.meta, proxy.spec.ingressClassName ?? '', wanted)
}
