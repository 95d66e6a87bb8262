// Which program stands for which image. The lab has no images: a container sees the machine's own
// root through an overlay, and an image is the files put over it, an entrypoint and defaults.
// In: the parts and bundles of this lab, and entries of the caller's own. Out: an ImageProgram per name.
import { join } from 'node:path'
import { imageKeys } from './image-reference.ts'

export type ImageFile =
  /** A file or directory of the machine, bound read-only. */
  | { readonly kind: 'bind'; readonly path: string; readonly source: string }
  /** An executable script with this text. */
  | { readonly kind: 'script'; readonly path: string; readonly text: string }

export interface ImageProgram {
  readonly entrypoint: readonly string[]
  /** Arguments when the container names neither command nor args. */
  readonly arguments?: readonly string[]
  readonly files: readonly ImageFile[]
  readonly environment?: Readonly<Record<string, string>>
  /** The image's own user, when the security context names none; 0 by default. */
  readonly user?: number
  readonly workingDirectory?: string
}

export type ImageMap = ReadonlyMap<string, ImageProgram>

/** Shown when an image is unknown, so that the reader knows where to add it. */
export const IMAGE_MAP_FILE = 'e2e/lab/images/image-map.ts'

export interface ImageSources {
  readonly repoRoot: string
  readonly bundles: string
  readonly parts: ImageParts
}

/** Paths of programs that are not ours. */
export interface ImageParts {
  readonly envoy: string
  readonly node: string
  readonly metallbSpeaker: string
  readonly contour: string
}

const NODE = '/usr/local/lib/landfall-lab/node'
const BUNDLES = '/usr/local/lib/landfall-lab/bundles'
const PROGRAMS = '/usr/local/lib/landfall-lab/programs'
/** @param semiSpaceMiB of the young generation */
function nodeOptions(semiSpaceMiB: number): string {
  return `--max-semi-space-size=${semiSpaceMiB} --v8-pool-size=1 --disable-warning=ExperimentalWarning`
}

/** As images/Containerfile sets it. */
const ENVIRONMENT = {
  NODE_ENV: 'production',
  MALLOC_ARENA_MAX: '1',
  NODE_OPTIONS: nodeOptions(1),
}
const SPARING_ENVIRONMENT = { ...ENVIRONMENT, MALLOC_MMAP_THRESHOLD_: '8192' }
const CONTOUR_ENVIRONMENT = { ...ENVIRONMENT, NODE_OPTIONS: nodeOptions(16) }

/** So that there is the folder that a page is written into. */
const nginxError: ImageFile = {
  kind: 'script',
  path: '/usr/share/nginx/html/50x.html',
  text: '<!doctype html>\n<title>Error</title>\n',
}

/** `extra` entries win over those of the lab. */
export function imageMap(
  sources: ImageSources,
  extra: Readonly<Record<string, ImageProgram>> = {},
): ImageMap {
  const pause = { entrypoint: ['sleep', 'infinity'], files: [] }
  const nginx = script(sources, 'static-page', ['/usr/local/bin/static-page', '/usr/sbin/nginx'])
  const page = { ...nginx, files: [...nginx.files, nginxError] }
  return new Map<string, ImageProgram>([
    [
      'landfall/controller',
      {
        ...bundle(sources, 'controller', ['/controller', '/usr/local/bin/controller']),
        environment: SPARING_ENVIRONMENT,
      },
    ],
    [
      'landfall/speaker',
      {
        ...bundle(sources, 'speaker', ['/speaker', '/usr/local/bin/speaker']),
        environment: SPARING_ENVIRONMENT,
      },
    ],
    [
      'landfall/contour',
      {
        ...bundle(sources, 'contour', ['/usr/local/bin/contour', '/bin/contour']),
        environment: CONTOUR_ENVIRONMENT,
      },
    ],
    ['envoyproxy/envoy', envoy(sources)],
    ['envoyproxy/envoy-distroless', envoy(sources)],
    ['metallb/speaker', metallbSpeaker(sources)],
    ['projectcontour/contour', contour(sources)],
    ['traefik/whoami', script(sources, 'whoami', ['/whoami', '/usr/local/bin/whoami'])],
    ['nginx', page],
    ['mimizone/simplehttp', page],
    ['busybox', { ...pause, entrypoint: [], arguments: ['sleep', 'infinity'] }],
    ['pause', pause],
    ...Object.entries(extra),
  ])
}

export function findImage(map: ImageMap, image: string): ImageProgram | undefined {
  for (const key of imageKeys(image)) {
    const found = map.get(key)
    if (found !== undefined) return found
  }
  return undefined
}

function bundle(sources: ImageSources, name: string, paths: readonly [string, ...string[]]): ImageProgram {
  return {
    entrypoint: [paths[0]],
    files: [
      { kind: 'bind', path: NODE, source: sources.parts.node },
      { kind: 'bind', path: BUNDLES, source: sources.bundles },
      ...launchers(paths, `${BUNDLES}/${name}.mjs`),
    ],
    environment: ENVIRONMENT,
  }
}

function script(sources: ImageSources, name: string, paths: readonly [string, ...string[]]): ImageProgram {
  return {
    entrypoint: [paths[0]],
    files: [
      { kind: 'bind', path: NODE, source: sources.parts.node },
      { kind: 'bind', path: PROGRAMS, source: join(sources.repoRoot, 'e2e/lab/images/programs') },
      ...launchers(paths, `${PROGRAMS}/${name}.ts`),
    ],
  }
}

/** `exec` keeps the pid, so that signals and memory figures are the program's own. */
function launchers(paths: readonly string[], program: string): readonly ImageFile[] {
  const text = `#!/bin/sh\nexec ${NODE} ${program} "$@"\n`
  return paths.map((path) => ({ kind: 'script', path, text }))
}

/** This and the next are made only for drills of an upgrade: elsewhere a pod of them does not start. */
function metallbSpeaker({ parts }: ImageSources): ImageProgram {
  return {
    entrypoint: ['/speaker'],
    files: [{ kind: 'bind', path: '/speaker', source: parts.metallbSpeaker }],
  }
}

function contour({ parts }: ImageSources): ImageProgram {
  const paths = ['/usr/local/bin/contour', '/bin/contour']
  return {
    entrypoint: ['/bin/contour'],
    files: paths.map((path) => ({ kind: 'bind', path, source: parts.contour })),
  }
}

function envoy(sources: ImageSources): ImageProgram {
  return {
    entrypoint: ['/usr/local/bin/envoy'],
    arguments: ['-c', '/etc/envoy/envoy.yaml'],
    files: [{ kind: 'bind', path: '/usr/local/bin/envoy', source: sources.parts.envoy }],
    user: 101,
  }
}
