// Runs one program to its end, without a shell.
import { execFile } from 'node:child_process'

/** Throws with the program's own words when it fails. `input` goes to its standard input. */
export function run(program: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: 10_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else
        reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }))
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
  })
}
