package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Bash  shellCmd `cmd:"" help:"bash 补全脚本 · Script for bash: source <(pilin completion bash)."`
	Zsh   shellCmd `cmd:"" help:"zsh 补全脚本 · Script for zsh: source <(pilin completion zsh)."`
	Fish  shellCmd `cmd:"" help:"fish 补全脚本 · Script for fish: pilin completion fish | source."`
	Words wordsCmd `cmd:"" hidden:"" help:"脚本用:列出下一个词 · For the scripts: what may come next."`
}

type shellCmd struct{}

// Run prints the script of the shell that the command is named after.
func (shellCmd) Run(k *kong.Context, out *printer) error {
	_, err := io.WriteString(out, scripts[k.Selected().Name])
	return err
}

// The scripts ask the binary what may come next, so they never fall behind it.
var scripts = map[string]string{
	"bash": `# bash completion of pilin
_pilin() {
  local IFS=$'\n'
  COMPREPLY=($(pilin completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")); fi
}
complete -F _pilin pilin
`,
	"zsh": `#compdef pilin
_pilin() {
  local -a found
  found=("${(@f)$(pilin completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
}
compdef _pilin pilin
`,
	"fish": `# fish completion of pilin
function __pilin_words
  set -l typed (commandline -opc) (commandline -ct)
  pilin completion words -- $typed[2..-1] 2>/dev/null
end
complete -c pilin -a '(__pilin_words)'
`,
}

type wordsCmd struct {
	Typed []string `arg:"" optional:"" passthrough:"" help:"已输入的词,最后一个未完 · Words so far, the last one unfinished."`
}

// Run prints what may come next, one word a line.
func (c *wordsCmd) Run(k *kong.Context, out *printer) error {
	typed := c.Typed
	if len(typed) > 0 && typed[0] == "--" {
		typed = typed[1:]
	}
	for _, w := range nextWords(k.Model.Node, typed) {
		if _, err := fmt.Fprintln(out, w); err != nil {
			return err
		}
	}
	return nil
}

// nextWords returns what may stand for the last of the words typed, which is unfinished and may be empty: commands below
// those that stand before it, their flags, and the values of a flag or argument that has a list of them (an enum, or what its
// tag suggests). Nothing means that a file or a text of one's own is wanted.
func nextWords(at *kong.Node, typed []string) []string {
	if len(typed) == 0 {
		typed = []string{""}
	}
	var open *kong.Flag // stands before the last word and wants a value
	given := 0          // arguments of the command
	for i, w := range typed[:len(typed)-1] {
		switch name, isFlag := strings.CutPrefix(w, "--"); {
		case open != nil && w == "=": // bash cuts --flag=value there
		case open != nil:
			open = nil
		case isFlag:
			if f := flagOf(at, name); f != nil && !f.IsBool() {
				open = f
			}
		case w == "-" || !strings.HasPrefix(w, "-"):
			if child := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == typed[i] }); child >= 0 {
				at = at.Children[child]
			} else {
				given++
			}
		}
	}
	last := typed[len(typed)-1]
	if open != nil && last == "=" {
		last = ""
	}
	var all []string
	before := "" // of the last word, which stays as it is
	if name, value, ok := strings.Cut(last, "="); ok && strings.HasPrefix(name, "--") && open == nil {
		if open = flagOf(at, strings.TrimPrefix(name, "--")); open == nil || open.IsBool() {
			return nil
		}
		before, last = name+"=", value
	}
	switch {
	case open != nil:
		if all = valuesOf(open.Value); open.IsSlice() { // of a list the last one is unfinished
			cut := strings.LastIndex(last, ",") + 1
			before, last = before+last[:cut], last[cut:]
		}
	case strings.HasPrefix(last, "-"):
		for n := at; n != nil; n = n.Parent {
			for _, f := range n.Flags {
				if !f.Hidden {
					all = append(all, "--"+f.Name)
				}
				if f.Tag.Negatable != "" && !f.Hidden {
					all = append(all, "--no-"+f.Name)
				}
			}
		}
	default:
		for _, n := range at.Children {
			if !n.Hidden {
				all = append(all, n.Name)
			}
		}
		if given < len(at.Positional) {
			all = append(all, valuesOf(at.Positional[given])...)
		}
	}
	all = slices.DeleteFunc(all, func(w string) bool { return w == "" || !strings.HasPrefix(w, last) })
	slices.Sort(all)
	for i := range all {
		all[i] = before + all[i]
	}
	return slices.Compact(all)
}

// valuesOf lists the values that a flag or argument may have, or those that are usual.
func valuesOf(v *kong.Value) []string {
	list := v.Enum
	if list == "" && v.Tag != nil {
		list = v.Tag.Get("suggest")
	}
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// flagOf finds a flag of a command or of those above it.
func flagOf(at *kong.Node, name string) *kong.Flag {
	for n := at; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if f.Name == name {
				return f
			}
		}
	}
	return nil
}
