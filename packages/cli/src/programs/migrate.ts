/**
 * `migrate`: prints the metallb.io objects that say the same as the ConfigMap of MetalLB up to v0.12, or v0.13's AddressPools;
 * `migrate manifests`: MetalLB's own manifests as Landfall's.
 */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { imageRegistryFlag, kubeconfigFlag } from '../flags.ts'
import type { MigrationFlags } from '../migration.ts'
import { readVersion } from '../version.ts'

export function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      "print the metallb.io objects that say the same as the ConfigMap of MetalLB up to v0.12, or v0.13's AddressPools",
    )
    .option(
      '-f, --file <file>',
      'read the ConfigMap from a file, or from standard input (-), not from the cluster',
    )
    .addOption(kubeconfigFlag())
    .option('--namespace <name>', 'where the ConfigMap is', 'metallb-system')
    .option('--config <name>', 'name of the ConfigMap', 'config')
    .action(async (flags: MigrationFlags) => {
      const { printMigration, readInput } = await import('../migration.ts')
      process.stdout.write(printMigration(await readInput(flags)))
    })
    .addCommand(manifestsCommand())
}

function manifestsCommand(): Command {
  return new Command('manifests')
    .description(
      "print manifests of MetalLB (native, frr, frr-k8s) with Landfall's images, and what of them was dropped; no cluster is asked",
    )
    .argument('<files...>', 'manifests; - for standard input')
    .addOption(imageRegistryFlag())
    .action(async (files: readonly string[], { imageRegistry }: { readonly imageRegistry?: string }) => {
      const { migrateManifests } = await import('../manifests-migration/index.ts')
      const read = files.map((file) =>
        file === '-'
          ? { name: 'standard input', text: readFileSync(0, 'utf8') }
          : { name: file, text: readFileSync(file, 'utf8') },
      )
      process.stdout.write(migrateManifests(read, readVersion(), imageRegistry))
    })
}
