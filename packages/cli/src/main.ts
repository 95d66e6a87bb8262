/** `landfall`: every command. */
import { run } from './command.ts'

await run('landfall')
