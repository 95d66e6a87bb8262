/** The arguments of a running `serve` → what they say, by its own command line. */
import { plainBooleans } from './flags.ts'
import { givenSettings, serveCommand, settingFlags } from './programs/serve.ts'

export function readServeArguments(args: readonly string[]) {
  const command = serveCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  try {
    command.parseOptions(plainBooleans(command, args))
  } catch {
    // Of another release: what it means is not known, and the defaults are as good a guess as any.
    return undefined
  }
  const { configPath, contourConfigName } = command.opts<{
    readonly configPath?: string
    readonly contourConfigName?: string
  }>()
  return { settings: givenSettings(command, settingFlags()), configPath, contourConfigName }
}
