/** The known word that was probably meant, or undefined when none is near. */
export function suggestion(given: string, known: readonly string[]): string | undefined {
  const nearest = known
    .map((word) => ({ word, distance: editDistance(given, word) }))
    .reduce<{ word: string; distance: number } | undefined>(
      (best, next) => (best === undefined || next.distance < best.distance ? next : best),
      undefined,
    );
  return nearest !== undefined && nearest.distance <= Math.max(2, given.length / 4)
    ? nearest.word
    : undefined;
}

/** Levenshtein's distance. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [row, leftCharacter] of Array.from(left).entries()) {
    const current = [row + 1];
    for (const [column, rightCharacter] of Array.from(right).entries()) {
      const substituted = (previous[column] ?? 0) + (leftCharacter === rightCharacter ? 0 : 1);
      current.push(Math.min(substituted, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
