/** The program `contour` of the image of that name: programs Envoy. */
import { run } from '../command.ts'

await run('contour')
