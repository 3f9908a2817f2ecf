/** Finds variables of a module that change: each thread that loads the module has its own. */

/** A `let` at the top level, unless it holds a function: `let ownerOf: (fd) => OwnedFd` gives access to private fields. */
const VARIABLE = /^(?:export )?let (\w+)(?!.*=>)/gm
/** A collection that is empty at first. Those with capitals stay empty. */
const COLLECTION =
  /^(?:export )?const ([a-z]\w*)\b[^=\n]*= (?:\[\]|new (?:FinalizationRegistry\b.*|\w*(?:Map|Set)(?:<.*>)?\(\)))/gm

/** @returns their names */
export function findModuleState(text) {
  return [VARIABLE, COLLECTION].flatMap((pattern) => [...text.matchAll(pattern)].map(([, name]) => name))
}
