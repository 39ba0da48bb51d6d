/// <reference types="handlebars" />

// The package's own entry brings its compiler, its runtime and a reader of source maps, none of which is used.
declare module 'handlebars/dist/cjs/handlebars/compiler/base.js' {
  /** Throws an Error whose lines say where the mistake is. */
  export function parse(source: string): hbs.AST.Program
}
