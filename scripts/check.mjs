/** Runs every check that needs no build, also after one has failed. The exit code is the number of failed checks. */
import { CHECKS, runCheckStep } from './lib/check-steps.mjs'

process.exitCode = Object.keys(CHECKS).filter((name) => !runCheckStep(name)).length
