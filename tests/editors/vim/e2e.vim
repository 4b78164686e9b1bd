" vim -es -Nu NONE -S e2e.vim in a folder of the test's own, with SETTINGS and OUT in the environment: Vim 9 with Debian's
" ALE. SETTINGS holds what docs/editors.md gives. Writes to OUT what it saw, and PASS as its last line.
set nocompatible nomore hidden
set rtp^=/usr/share/vim/vimfiles/pack/dist-bundle/start/ale,/usr/share/vim/vimfiles/pack/dist-bundle/opt/ale
" On a narrow screen ALE shows a message in a window, which a script can read.
set columns=40
let g:ale_linters_explicit = 1
let g:ale_lint_delay = 0
packadd! ale
runtime! plugin/ale.vim
filetype plugin on
source $SETTINGS
let s:out = []

function! s:End() abort
  call writefile(s:out, $OUT)
  qall!
endfunction

" Waits until Condition holds, else ends the test.
function! s:Until(what, Condition) abort
  for s:round in range(1200)
    if a:Condition() | return | endif
    sleep 50m
  endfor
  call extend(s:out, ['FAIL ' . a:what] + map(getline(1, '$'), '"TEXT " . v:val'))
  call s:End()
endfunction

function! s:Found() abort
  return ale#engine#GetLoclist(bufnr('%'))
endfunction

" Opens a new file, and waits for its findings.
function! s:Open(name, lines) abort
  call writefile(a:lines, a:name)
  execute 'edit ' . a:name
  sleep 300m
  ALELint
  call s:Until('nothing found in ' . a:name, {-> len(s:Found())})
  for one in s:Found()
    call add(s:out, printf('FOUND %s %d:%d %s %s', a:name, one.lnum, one.col, get(one, 'code', ''), one.text))
  endfor
  call cursor(s:Found()[0].lnum, s:Found()[0].col)
endfunction

function! s:Offered(data, items) abort
  let s:offered = [a:data, a:items]
endfunction

" Applies the action at the cursor that has this title, as :ALECodeAction does with the chosen one.
function! s:Apply(title) abort
  let s:offered = []
  call ale#codefix#Execute(0, function('s:Offered'))
  call s:Until('no actions', {-> len(s:offered)})
  let [data, items] = s:offered
  call add(s:out, 'ACTIONS ' . join(map(copy(items), 'v:val[1].title'), ' | '))
  let chosen = filter(copy(items), 'v:val[1].title =~# a:title')
  call s:Until('no action ' . a:title, {-> len(chosen)})
  call ale#codefix#ApplyLSPCodeAction(data, chosen[0][1])
endfunction

" The report that the message on the screen names, if there is one.
function! s:Report() abort
  for window in range(1, winnr('$'))
    if getbufvar(winbufnr(window), '&filetype') is# 'ale-preview.message'
      let path = matchstr(join(getbufline(winbufnr(window), 1, '$')), ' See \zs/.*')
      return filereadable(path) ? readfile(path) : []
    endif
  endfor
  return []
endfunction

function! s:Run(title) abort
  pclose
  call s:Apply(a:title)
  call s:Until('no report', {-> len(s:Report())})
  call extend(s:out, map(s:Report(), '"REPORT " . v:val'))
endfunction

" A rewrite, then the file runs as it stands in the buffer, unsaved.
call s:Open('a.py', ['import yaml', 'yaml.load(open("x"))'])
call s:Apply('safe_load')
call s:Until('no rewrite', {-> join(getline(1, '$')) =~# 'safe_load'})
call extend(s:out, map(getline(1, '$'), '"TEXT " . v:val'))
call setline(1, ['print("from the", "sandbox")', 'raise KeyError("gone")'])
call s:Run('^SafeRun: Run in sandbox$')
call s:Until('no mark', {-> len(filter(copy(s:Found()), 'v:val.text =~# "KeyError" && v:val.lnum == 2'))})

" A block of Markdown, and a policy.
call s:Open('a.md', ['# Notes', '', '```python', 'eval("6 * 7")', 'print(6 * 7)', '```'])
call s:Run('^SafeRun: Run this block')
call s:Open('.saferun.yaml', ['version: 1', 'limts:', '  time: 5s'])
call add(s:out, 'PASS')
call s:End()
