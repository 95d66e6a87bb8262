/** `migrate`: prints the metallb.io objects that say the same as the ConfigMap of MetalLB up to v0.12. */
import { Command } from 'commander'
import { kubeconfigFlag } from '../flags.ts'
import type { MigrationFlags } from '../migration.ts'

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('print the metallb.io objects that say the same as a ConfigMap of MetalLB up to v0.12')
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
}
