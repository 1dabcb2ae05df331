/** How large and how tangled a document may be. Defaults let every legitimate router query pass. */
export interface DocumentLimits {
  maxTokens: number;
  maxDepth: number;
  /** Aliases in the whole document. */
  maxAliases: number;
  maxRootFields: number;
  /** Directives in the whole document. */
  maxDirectives: number;
  maxFragments: number;
}
