/** A real Envoy on a bootstrap that our own command wrote. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { mainCpuMs, memoryOf, type ProcessMemory, threadsCpuMs } from '../nodeless/process-usage.ts'

const flags = ['--concurrency', '2', '--log-level', 'warning', '--disable-hot-restart']

/** `contour`: as Contour's own command writes it, by the state of the world, with a stream for each thing. */
export type Bootstrap = 'ours' | 'contour'

export interface EnvoyOptions {
  readonly binary: string
  /** `contour.mjs` */
  readonly bundle: string
  /** Its own, with the certificates in it. */
  readonly folder: string
  readonly xdsPort: number
  readonly bootstrap: Bootstrap
}

export class Envoy {
  readonly #folder: string
  readonly #child: ChildProcess

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder
    this.#child = child
  }

  static async start({ binary, bundle, folder, xdsPort, bootstrap }: EnvoyOptions): Promise<Envoy> {
    const path = join(folder, 'envoy.json')
    await promisify(execFile)(process.execPath, [
      bundle,
      'bootstrap',
      path,
      `--admin-address=${join(folder, 'admin.sock')}`,
      '--xds-address=127.0.0.1',
      `--xds-port=${xdsPort}`,
      `--resources-dir=${join(folder, 'resources')}`,
      `--envoy-cafile=${join(folder, 'certs', 'cacert.pem')}`,
      `--envoy-cert-file=${join(folder, 'certs', 'envoycert.pem')}`,
      `--envoy-key-file=${join(folder, 'certs', 'envoykey.pem')}`,
    ])
    if (bootstrap === 'contour') writeFileSync(path, byStreams(readFileSync(path, 'utf8')))
    return Envoy.again(binary, folder)
  }

  /** On the bootstrap that is there. */
  static again(binary: string, folder: string): Envoy {
    const log = openSync(join(folder, 'envoy.log'), 'a')
    const argv = ['--pdeathsig', 'KILL', binary, '-c', join(folder, 'envoy.json'), ...flags]
    return new Envoy(folder, spawn('setpriv', argv, { stdio: ['ignore', log, log] }))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Of the main thread, which takes in all that changes; workers serve requests. */
  mainCpuMs(): number {
    return mainCpuMs(this.pid)
  }

  cpuMs(): number {
    return threadsCpuMs(this.pid)
  }

  memory(): ProcessMemory {
    return memoryOf(this.pid)
  }

  admin(path: string): Promise<string> {
    const socketPath = join(this.#folder, 'admin.sock')
    return new Promise((resolve, reject) => {
      const call = request({ socketPath, path, headers: { host: 'admin' } }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.once('end', () => resolve(text))
      })
      call.once('error', reject)
      call.end()
    })
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}

function byStreams(text: string): string {
  const bootstrap = JSON.parse(text)
  const grpc_services = [{ envoy_grpc: { cluster_name: 'contour', authority: 'contour' } }]
  const api_config_source = { api_type: 'GRPC', transport_api_version: 'V3', grpc_services }
  const source = { resource_api_version: 'V3', api_config_source }
  bootstrap.dynamic_resources = { lds_config: source, cds_config: source }
  bootstrap.layered_runtime.layers[0].rtds_layer.rtds_config = source
  return JSON.stringify(bootstrap)
}
