/**
 * Names of objects of which each controller has its own, where controllers of different classes run in one namespace.
 */

/** `controller`, and for class `x.y/z` `controller-x.y-z`. */
export function nameForClass(name: string, loadBalancerClass: string): string {
  const suffix = loadBalancerClass.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')
  return suffix === '' ? name : `${name}-${suffix}`
}
