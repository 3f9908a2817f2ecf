/** Runs every check that needs no build. All of them, even after one failed. Exit code: how many failed. */
import { CHECKS, runCheckStep } from './lib/check-steps.mjs'

process.exitCode = Object.keys(CHECKS).filter((name) => !runCheckStep(name)).length
