/** The program `lokoctl`, as Lokomotive's guides call it: its components only. */
import { run } from '../command.ts'

await run('lokoctl')
