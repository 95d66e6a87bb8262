// Mounts on the machine itself: only memory volumes are, since a pod's containers share them.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export function mountMemory(directory: string, bytes: number | undefined): void {
  const size = bytes === undefined ? [] : [`-osize=${Math.ceil(bytes)}`]
  execFileSync('mount', ['-t', 'tmpfs', ...size, 'tmpfs', directory], { stdio: 'pipe' })
}

/** Deepest first; processes that still look at one keep it, and nobody else. */
export function unmountBelow(directory: string): void {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => unescape(octal)))
    .filter((path) => path.startsWith(`${directory}/`))
  for (const point of points.toReversed()) execFileSync('umount', ['-l', point], { stdio: 'pipe' })
}

function unescape(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8))
}
