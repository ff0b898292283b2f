# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of cimdctl for bash.  The words come from cimdctl itself, which
# knows its commands and options, the catalog, and the clients of cimdd.

_cimdctl()
{
	local line cur words word command=
	line=${COMP_LINE:0:COMP_POINT}
	cur=${line##*[[:space:]]}
	COMPREPLY=()
	# The command is the first word behind the program that is no option.
	read -ra words <<<"${line%"$cur"}"
	for word in "${words[@]:1}"; do
		if [[ $word != -* ]]; then
			command=$word
			break
		fi
	done
	if [[ $cur == --*=* ]]; then
		_cimdctl_files "${cur#--*=}"
		return
	fi
	# shellcheck disable=SC2086 # the command, or nothing
	while IFS= read -r word; do
		if [[ $word == "${words[-1]}="* ]]; then
			_cimdctl_files "$cur"
			return
		fi
		[[ $word == -* && $cur != -* ]] && continue
		[[ $word == -? || $word == -?=* ]] && continue
		[[ $word == --*=* ]] && word=${word%%=*}=
		[[ $word == "$cur"* ]] && COMPREPLY+=("$word")
	done < <("${words[0]}" complete $command 2>/dev/null)
	_cimdctl_trim "$cur"
}

# Values of options are mostly files and folders.
_cimdctl_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# bash replaces only what stands behind the last ":" or "=".
_cimdctl_trim()
{
	local i cut=${1%"${1##*[:=]}"}
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
	done
	if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _cimdctl cimdctl
