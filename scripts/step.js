/** One step of a set-up: runs a program quietly, shows progress when it takes over a second, its output when it fails. */
import { spawn } from 'node:child_process'

/**
 * @param {string} title
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, hint?: string }} [options]
 * @returns {Promise<void>} ends the process with code 1 when the program fails
 */
export async function runStep(title, program, args, options = {}) {
  const started = Date.now()
  const output = []
  const show = progress(title, started)
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => output.push(chunk))
  const outcome = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? `code ${code}`}`))
  })
  show.end(outcome === '')
  if (outcome === '') return
  process.stderr.write(Buffer.concat(output))
  process.stderr.write(`landfall: ${title}: ${program} ${outcome}\n`)
  if (options.hint) process.stderr.write(`          ${options.hint}\n`)
  process.exit(1)
}

/** A line that appears after one second and is rewritten each second on a terminal. */
function progress(title, started) {
  const terminal = process.stderr.isTTY
  let shown = false
  const seconds = () => ((Date.now() - started) / 1000).toFixed(0)
  const timer = setInterval(() => {
    if (terminal) process.stderr.write(`\r  … ${title}  ${seconds()} s `)
    else if (!shown) process.stderr.write(`  … ${title}\n`)
    shown = true
  }, 1000)
  return {
    end(ok) {
      clearInterval(timer)
      if (shown)
        process.stderr.write(`${terminal ? '\r' : ''}  ${ok ? '✓' : '✗'} ${title}  ${seconds()} s \n`)
    },
  }
}
