/**
 * Every property takes the same examples in each run, so that a run says something of the tree alone. Other examples:
 * `LANDFALL_SEED=7 npm test -- --project unit`, and `npm run drill -- properties` for many.
 */
import * as fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['LANDFALL_SEED'] ?? 1) })
