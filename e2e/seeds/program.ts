/** A program in a process of its own, as it is run by hand: with a kubeconfig, until it ends. For tests. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { RealApiServer } from '@landfall/kube/testing'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Until it ends; it is told to once it has said what `until` is in. @param heard each line that it says */
export function runProgram(
  argv: readonly string[],
  until?: string,
  heard: (line: string) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const [program = '', ...args] = argv
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const lines: string[] = []
    let stderr = ''
    let told = false
    createInterface({ input: child.stdout }).on('line', (line) => {
      const isAwaited = until !== undefined && !told && line.includes(until)
      lines.push(line)
      heard(line)
      told ||= isAwaited
      if (isAwaited) child.kill('SIGTERM')
    })
    child.stderr.on('data', (chunk) => (stderr += String(chunk)))
    child.on('close', (code) => resolve({ code, stdout: lines.join('\n'), stderr }))
  })
}

/** @returns its path */
export function writeKubeconfig(server: RealApiServer, folder: string): string {
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, server.kubeconfig())
  return file
}
