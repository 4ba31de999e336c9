"""The programming language of a file: by its name, by its `#!` line, for a few by what it says."""

import posixpath
import re

# Names as github-linguist writes them, which The Stack uses.
_LANGUAGES = {
    "ABAP": "abap", "ActionScript": "as", "Ada": "ada adb ads", "Agda": "agda",
    "Assembly": "asm nasm s", "Astro": "astro", "Augeas": "aug", "AutoHotkey": "ahk",
    "Awk": "awk gawk", "Batchfile": "bat cmd", "Bicep": "bicep", "Bluespec": "bsv", "BibTeX": "bib",
    "Boo": "boo", "C": "c h idc", "C#": "cs csx cake",
    "C++": "cc cpp cxx c++ hh hpp hxx ipp inl tpp", "CMake": "cmake", "COBOL": "cob cbl cpy",
    "CSS": "css", "CSV": "csv", "CUE": "cue", "Chapel": "chpl", "Clojure": "clj cljc cljs edn",
    "CoffeeScript": "coffee", "Common Lisp": "lisp lsp cl", "Coq": "coq", "Crystal": "cr",
    "Cuda": "cu cuh", "Cython": "pyx pxd pxi", "D": "d", "Dart": "dart", "Dhall": "dhall",
    "Diff": "diff patch", "Elixir": "ex exs", "Elm": "elm", "Emacs Lisp": "el", "Erlang": "erl hrl",
    "F#": "fs fsi fsx", "Fortran": "f90 f f77 f95 f03 f08 for", "GDScript": "gd",
    "GLSL": "glsl vert frag geom comp", "Gherkin": "feature", "Gleam": "gleam", "Go": "go",
    "GraphQL": "graphql gql", "Groovy": "groovy gradle gvy", "HCL": "hcl tf tfvars",
    "HLSL": "hlsl fx", "HTML": "html htm xhtml", "Haml": "haml", "Handlebars": "hbs handlebars",
    "Haskell": "hs lhs", "Haxe": "hx", "IDL": "idl", "INI": "ini cfg", "Idris": "idr",
    "JSON": "json geojson webmanifest jsonc", "JSON with Comments": "code-workspace",
    "JSON5": "json5", "Java": "java", "Java Properties": "properties", "Java Server Pages": "jsp",
    "JavaScript": "js jsx mjs cjs es6", "Jinja": "jinja j2 jinja2", "Julia": "jl",
    "Jupyter Notebook": "ipynb", "Kotlin": "kt kts", "LLVM": "ll", "Lean": "lean", "Less": "less",
    "Literate Agda": "lagda", "Lua": "lua", "M4": "m4", "MATLAB": "m", "Makefile": "mk mak",
    "Markdown": "md markdown mdx", "Mathematica": "wl nb", "Meson": "meson", "Modelica": "mo",
    "Mustache": "mustache", "Nim": "nim nims", "Nix": "nix", "OCaml": "ml mli",
    "Objective-C++": "mm", "Odin": "odin", "OpenCL": "opencl", "Org": "org", "PHP": "php phtml",
    "PLSQL": "pls plsql pkb pks", "Pascal": "pas dpr lpr", "Perl": "pl pm t",
    "PostScript": "ps eps", "PowerShell": "ps1 psm1 psd1", "Processing": "pde",
    "Prolog": "prolog pro", "Protocol Buffer": "proto", "Pug": "pug jade", "Puppet": "pp",
    "PureScript": "purs", "Python": "py pyi pyw", "QML": "qml", "R": "r rmd",
    "RMarkdown": "rmarkdown", "Racket": "rkt", "Raku": "raku rakumod", "ReScript": "res",
    "Reason": "re rei", "Ruby": "rb rake gemspec", "Rust": "rs", "SAS": "sas", "SCSS": "scss",
    "SMT": "smt2", "SPARQL": "sparql rq", "SQL": "sql", "SVG": "svg", "Sass": "sass",
    "Scala": "scala sbt sc", "Scheme": "scm ss sld", "Shell": "sh bash zsh ksh fish",
    "Smalltalk": "st", "Solidity": "sol", "Standard ML": "sml sig", "Starlark": "bzl star",
    "Stata": "do ado", "Stylus": "styl", "Svelte": "svelte", "Swift": "swift",
    "SystemVerilog": "sv svh", "TOML": "toml", "TSX": "tsx", "Tcl": "tcl", "TeX": "tex sty cls",
    "Text": "txt", "Thrift": "thrift", "Twig": "twig", "TypeScript": "ts mts cts", "V": "vsh",
    "VHDL": "vhd vhdl", "Vala": "vala vapi", "Verilog": "v vh", "Vim Script": "vim",
    "Visual Basic": "vb vbs bas", "Vue": "vue", "WebAssembly": "wat wast",
    "XML": "xml xsd wsdl plist csproj", "XSLT": "xsl xslt", "YAML": "yaml yml", "Yacc": "y yy",
    "Zig": "zig", "jq": "jq", "reStructuredText": "rst", "wisp": "wisp",
}  # fmt: skip
_BY_EXTENSION = {
    f".{extension}": language
    for language, extensions in _LANGUAGES.items()
    for extension in extensions.split()
}
_BY_NAME = {
    "BUILD": "Starlark", "BUILD.bazel": "Starlark", "CMakeLists.txt": "CMake",
    "Dockerfile": "Dockerfile", "GNUmakefile": "Makefile", "Gemfile": "Ruby",
    "Jenkinsfile": "Groovy", "Justfile": "Just", "Makefile": "Makefile", "PKGBUILD": "Shell",
    "Pipfile": "TOML", "Rakefile": "Ruby", "SConscript": "Python", "SConstruct": "Python",
    "Vagrantfile": "Ruby", "WORKSPACE": "Starlark", "configure.ac": "M4", "go.mod": "Go Module",
    "makefile": "Makefile", "meson.build": "Meson", "wscript": "Python",
}  # fmt: skip
_INTERPRETERS = {
    "ash": "Shell", "awk": "Awk", "bash": "Shell", "dash": "Shell", "deno": "TypeScript",
    "fish": "Shell", "gawk": "Awk", "groovy": "Groovy", "guile": "Scheme", "julia": "Julia",
    "ksh": "Shell", "lua": "Lua", "make": "Makefile", "node": "JavaScript", "nodejs": "JavaScript",
    "osascript": "AppleScript", "perl": "Perl", "php": "PHP", "pwsh": "PowerShell",
    "python": "Python", "Rscript": "R", "ruby": "Ruby", "sed": "sed", "sh": "Shell",
    "tclsh": "Tcl", "wish": "Tcl", "zsh": "Shell",
}  # fmt: skip
_SHEBANG = re.compile(r"#![ \t]*(?:\S*/)?(?:env(?:[ \t]+-\S+)*[ \t]+)?(?:\S*/)?([A-Za-z]+)")
# Extensions of several languages, and words that only the second has.
_OTHERWISE = {
    ".h": (
        ("C++", re.compile(r"^\s*(?:class \w|template ?<|namespace \w|using namespace)", re.M)),
        ("Objective-C", re.compile(r"^\s*(?:@interface|@protocol|@class|#import)\b", re.M)),
    ),
    ".m": (("Objective-C", re.compile(r"^\s*(?:#import|#include|@\w+|//)", re.M)),),
    ".v": (("Coq", re.compile(r"^\s*(?:Require|Theorem|Lemma|Proof|Inductive)\b", re.M)),),
    ".pl": (("Prolog", re.compile(r"^(?::-|\w+\([^)]*\) *:-)", re.M)),),
    ".ts": (("XML", re.compile(r"\A\s*<(?:\?xml|!DOCTYPE TS)")),),  # Qt's translations
}
_HEAD = 8_192


def programming_language(path: str, text: str = "") -> str | None:
    """The language, as github-linguist names it; None where neither name nor `#!` tells."""
    name = path.rpartition("/")[2]
    suffix = posixpath.splitext(name)[1].lower()
    for language, marks in _OTHERWISE.get(suffix, ()):
        if marks.search(text[:_HEAD]):
            return language
    known = _BY_NAME.get(name) or _BY_EXTENSION.get(suffix)
    if known or not text.startswith("#!"):
        return known
    interpreter = _SHEBANG.match(text)
    return _INTERPRETERS.get(interpreter[1]) if interpreter else None
