/** What the documents have a reader run, on what it is run on. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { imagesOf } from '@landfall/manifests'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
const { version }: { readonly version: string } = JSON.parse(textOf('package.json'))

/** Of containers, each once. */
function imagesIn(manifest: string): readonly string[] {
  return [...new Set(manifest.match(/(?<=^ +image: ).*$/gm))].toSorted()
}

test('docs/install.md has every image of Landfall pulled from the registry that it pushes them to', () => {
  const text = textOf('docs/install.md')
  const [, registry = ''] = /^REGISTRY=(.+)$/m.exec(text) ?? []
  const [, line = ''] = /^(sed .*) \| kubectl apply -f -$/m.exec(text) ?? []
  const env = { PATH: process.env['PATH'], REGISTRY: registry }
  const { stdout } = spawnSync('sh', ['-c', line], { cwd: root, env, encoding: 'utf8' })
  const { contour, controller, envoy, speaker } = imagesOf(version, registry)
  expect(imagesIn(stdout)).toEqual([envoy, contour, controller, speaker])
  expect(text).toContain(`docker push $REGISTRY/landfall/$program:${version}\n`)
})

/** The guides' own, beside what is ours to write. */
const commands = [
  'lokoctl component install',
  'kubectl -n metallb-system logs speaker-89764',
  'kubectl get svc envoy -n projectcontour',
  'lokoctl component install metallb',
  'kubectl apply -f …/services/kube-service-load-balancer.yaml',
  'kubectl apply -f …/metallb/v0.7.3/manifests/metallb.yaml',
  'kubectl get deploy -n metallb-system -o wide',
  'kubectl apply -f …/metallb/metallb-config.yaml',
  'kubectl run nginx --image=nginx',
  'kubectl expose deploy nginx --port 80 --type LoadBalancer',
  'kubectl apply -f …/metallb/v0.8.3/manifests/metallb.yaml',
  'kubectl get all -n metallb-system',
  'kubectl apply -f manifests/dev-raspberry/metallb/config.yml',
  'sudo update-alternatives --set iptables /usr/sbin/iptables-legacy',
  'kubectl get services',
  'curl 192.168.0.230',
  'kubectl create -f metallb.yml',
  'kubectl apply -f configmap.yml',
  'kubectl create -f simplehttp.yml',
  'kubectl get svc nginx -n metal-test',
  'curl http://172.30.1.96',
]

/** Each row of a table: the guide's cell, and ours. */
const rows = [...textOf('docs/guides.md').matchAll(/^\| (.*?) \| (.*) \|$/gm)].map(
  ([, theirs = '', ours = '']) => [theirs, ours.replaceAll('\\|', '|')] as const,
)

test.each(commands)('docs/guides.md says what to run for %s', (command) => {
  expect(rows.some(([theirs]) => theirs.includes(`\`${command}\``))).toBe(true)
})

test('3.10: no image and no manifest has iptables', () => {
  const files = [
    'images/Containerfile',
    ...readdirSync(join(root, 'manifests'), { recursive: true }).map((one) => `manifests/${String(one)}`),
  ]
  const texts = files.filter((file) => statSync(join(root, file)).isFile()).map(textOf)
  expect(texts.length).toBeGreaterThan(3)
  expect(texts.filter((text) => text.includes('iptables'))).toEqual([])
})

test('docs/guides.md has every manifest pull from the registry', () => {
  const lines = rows.flatMap(([, ours]) => [...ours.matchAll(/`(sed .*?) \| kubectl [^`]*`/g)])
  expect(lines).toHaveLength(3)
  const { controller, speaker } = imagesOf(version, 'registry.example.com')
  for (const [, line = ''] of lines) {
    const env = { PATH: process.env['PATH'], REGISTRY: 'registry.example.com' }
    const { stdout } = spawnSync('sh', ['-c', line], { cwd: root, env, encoding: 'utf8' })
    expect(imagesIn(stdout)).toEqual([controller, speaker])
  }
})

const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]

test.each(documents.filter((name) => name.endsWith('.md')))('links of %s lead somewhere', (document) => {
  const links = [...textOf(document).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
  const broken = links.filter(([, path = '', heading]) => {
    const target = path === '' ? document : join(dirname(document), path)
    if (!existsSync(join(root, target))) return true
    return heading !== undefined && !headingsOf(target).includes(heading)
  })
  expect(broken.map(([link]) => link)).toEqual([])
})

test('every document is linked to from another one', () => {
  const linked = documents.flatMap((from) =>
    [...textOf(from).matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, path = '']) => join(dirname(from), path))
      .filter((to) => to !== from),
  )
  const markdown = documents.filter((name) => name.endsWith('.md') && name !== 'README.md')
  expect(markdown.filter((name) => !linked.includes(name))).toEqual([])
})

/** As they are linked to. */
function headingsOf(document: string): readonly string[] {
  const headings = [...textOf(document).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text)
  return headings.map((text) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test('README.md leads to the guides', () => {
  expect(textOf('README.md')).toContain('](docs/guides.md)')
})
