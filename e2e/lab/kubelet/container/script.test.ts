import { expect, test } from 'vitest'
import { type ContainerPlan, containerScript } from './script.ts'

const plan: ContainerPlan = {
  hostname: 'p',
  networkNamespace: undefined,
  mounts: [
    { source: '/s/inner', target: '/data/in/er', kind: 'file', readOnly: false },
    { source: '/s/outer', target: '/data', kind: 'directory', readOnly: true },
  ],
  identity: { uid: 1, gid: 2, groups: [], capabilities: [], noNewPrivileges: false },
  environment: new Map([['Q', "it's $HOME"]]),
  argv: ['prog', 'a b'],
  workingDirectory: '/',
  readOnlyRoot: true,
  privileged: false,
}

function lines(changes: Partial<ContainerPlan> = {}): readonly string[] {
  return containerScript({ ...plan, ...changes }, '/scratch').split('\n')
}

test('outer before inner, and nothing read-only before all are bound', () => {
  const order = lines().filter((line) => /\/s\/|remount.*(data|'root')/.test(line))
  expect(order).toEqual([
    "mount --bind '/s/outer' 'root/data'",
    "mount --bind '/s/inner' 'root/data/in/er'",
    "mount -o remount,bind,ro 'root/data'",
    "mount -o remount,bind,ro 'root'",
  ])
})

test('the last line becomes the program, every word quoted', () => {
  expect(lines().at(-2)).toBe(
    "exec chroot '/scratch/root' 'setpriv' '--reuid=1' '--regid=2' '--clear-groups' '--inh-caps=-all' " +
      "'--ambient-caps=-all' '--bounding-set=-all' '--pdeathsig=KILL' 'env' '-i' '-C' '/' '--' " +
      "'Q=it'\\''s $HOME' 'prog' 'a b'",
  )
})

test('a volume at /tmp takes the place of the fresh one', () => {
  const fresh = (changes: Partial<ContainerPlan>) =>
    lines(changes).filter((line) => line.includes('tmpfs root/tmp'))
  expect(fresh({})).toHaveLength(1)
  expect(fresh({ mounts: [{ source: '/s', target: '/tmp', kind: 'directory', readOnly: false }] })).toEqual(
    [],
  )
})

test('only a privileged container may write what the kernel shows', () => {
  const guarded = (privileged: boolean) =>
    lines({ privileged }).filter((line) => /proc\/sys'|-o ro sysfs/.test(line))
  expect(guarded(false)).toHaveLength(2)
  expect(guarded(true)).toEqual([])
})
