// Where a path of a container ends up, symbolic links of the machine's root resolved: the container's
// root is an overlay over it, and a bind onto `<root>/var/run/x` would follow the absolute link
// /var/run → /run out of the container onto the machine itself.
import { realpathSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export function resolveMountPath(path: string): string {
  const wanted = normalize(`/${path}`).replace(/(.)\/+$/, '$1')
  for (let head = wanted; head !== '/'; head = dirname(head)) {
    try {
      return join(realpathSync(head), wanted.slice(head.length))
    } catch {
      // Not there: its parent decides.
    }
  }
  return wanted
}
