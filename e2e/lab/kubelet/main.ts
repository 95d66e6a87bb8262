// The program: `node main.ts CONFIG.json`, inside the node's network namespace. Ends with SIGTERM or
// SIGINT, and by itself after the configured life; its pods end with it.
import { readFileSync } from 'node:fs'
import { cleanupNode, recordKubelet } from './cleanup.ts'
import { limitPrefix } from './container/processor-limit.ts'
import { Kubelet, podNamespacePrefix } from './kubelet.ts'
import type { KubeletOptions } from './node/context.ts'

const [, , configPath] = process.argv
if (configPath === undefined) throw new Error('usage: main.ts CONFIG.json')
const options = JSON.parse(readFileSync(configPath, 'utf8')) as KubeletOptions

function log(message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${message}\n`)
}

await cleanupNode(options.stateDir)
recordKubelet(options.stateDir, {
  namespacePrefix: podNamespacePrefix(options),
  limitPrefix: limitPrefix(options),
})
const kubelet = new Kubelet(options, log)
await kubelet.start()
log(`node ${options.nodeName} is up`)

let ending = false
async function end(why: string): Promise<void> {
  if (ending) return
  ending = true
  log(`ending: ${why}`)
  await kubelet.stop()
  await cleanupNode(options.stateDir)
  process.exit(0)
}

process.on('SIGTERM', () => void end('SIGTERM'))
process.on('SIGINT', () => void end('SIGINT'))
setTimeout(() => void end('its life is over'), Math.min(options.maxLifeSeconds * 1000, 2 ** 31 - 1))
