/** A lab on which the guides are followed, one after the other: each finds it bare, and leaves it so. */
import { join } from 'node:path'
import { createLab, type KubernetesObject, type Lab, type LabHost } from '../lab/index.ts'
import { GuideScript } from '../seeds/script.ts'
import { broken, notReleased } from './invariants.ts'

export const system = 'metallb-system'
export const patient = { timeout: 60_000, interval: 500 }

const manifest = join(import.meta.dirname, '..', '..', 'manifests', 'landfall.yaml')

interface PodObject extends KubernetesObject {
  readonly spec: { readonly nodeName?: string }
}

export class GuideSite {
  readonly lab: Lab
  #script: GuideScript | undefined

  private constructor(lab: Lab) {
    this.lab = lab
  }

  static async start(): Promise<GuideSite> {
    return new GuideSite(await createLab({ nodes: 3 }))
  }

  async end(): Promise<void> {
    this.#script?.end()
    await this.lab.down()
  }

  /** Of the guide that was followed last. */
  get script(): GuideScript {
    if (this.#script === undefined) throw new Error('no guide was followed')
    return this.#script
  }

  /** @returns what does not look as in the guide, or what `landfall status` goes on to find wrong at its end */
  async follow(guide: string): Promise<string> {
    this.#script = new GuideScript(this.lab, guide)
    return (await this.#script.run()) || (await this.#script.look('landfall status'))
  }

  /** Deletes everything that a guide made. @throws when something that always holds did not */
  async clear(): Promise<void> {
    const { lab } = this
    this.#script?.end()
    try {
      const found = [...(await broken(lab)), ...(await notReleased(lab))]
      if (found.length > 0) throw new Error(found.join('; '))
    } finally {
      await lab.kubectl(['delete', 'deployment', '--all', '--wait=false'])
      const services = await lab.list('service', { namespace: 'default' })
      const made = services.filter(({ metadata }) => metadata.name !== 'kubernetes')
      await lab.delete(made.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata })))
      await lab.kubectl(['delete', 'namespace', 'metal-test', '--ignore-not-found', '--timeout=90s'])
      await lab.kubectl(['delete', '-f', manifest, '--ignore-not-found', '--timeout=120s'])
    }
  }

  ipOf(name: string): string {
    return this.lab.node(name).ipv4
  }

  async nodesOf(selector: string, namespace = system): Promise<readonly string[]> {
    const pods = await this.lab.list<PodObject>('pods', { namespace, selector })
    return pods.flatMap(({ spec }) => spec.nodeName ?? []).toSorted()
  }

  async speakerOn(node: string): Promise<string> {
    const pods = await this.lab.list<PodObject>('pods', { namespace: system, selector: 'component=speaker' })
    return pods.find(({ spec }) => spec.nodeName === node)?.metadata.name ?? ''
  }

  /** A metric of the speaker on the node, with that among its labels; undefined where it has none. */
  async metric(node: string, name: string, label: string): Promise<number | undefined> {
    const { body } = await this.lab.controlPlane.curl(`http://${this.ipOf(node)}:7472/metrics`)
    const line = body.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(label))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }

  /** An address that is none of the LAN's is on it all the same. */
  async onLink(host: LabHost, prefix: string): Promise<void> {
    await host.run([this.lab.parts.ip, 'route', 'replace', prefix, 'dev', 'eth0'])
  }
}
