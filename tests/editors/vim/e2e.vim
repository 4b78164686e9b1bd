" vim -es -Nu NONE -S e2e.vim with FILE and OUT in the environment: Vim 9 with Debian's ALE.
set nocompatible nomore
set rtp^=/usr/share/vim/vimfiles/pack/dist-bundle/start/ale,/usr/share/vim/vimfiles/pack/dist-bundle/opt/ale
let g:ale_linters_explicit = 1
let g:ale_linters = {'python': ['saferun']}
let g:ale_disable_lsp = 0
let g:ale_lint_delay = 0
packadd! ale
runtime! plugin/ale.vim
filetype plugin on
" The settings that docs/editors.md gives.
call ale#linter#Define('python', {
\   'name': 'saferun',
\   'lsp': 'stdio',
\   'executable': 'saferun-lsp',
\   'command': '%e',
\   'project_root': {buffer -> getcwd()},
\   'language': 'python',
\})
let s:out = []
function! Chosen(data, items) abort
  let g:items = a:items
  for item in a:items
    if item[1].title =~# 'safe_load'
      call ale#codefix#ApplyLSPCodeAction(a:data, item[1])
    endif
  endfor
endfunction
execute 'edit ' . fnameescape($FILE)
let s:round = 0
while s:round < 400
  sleep 50m
  if s:round == 10 | ALELint | endif
  let s:found = ale#engine#GetLoclist(bufnr('%'))
  if len(s:found) | break | endif
  let s:round += 1
endwhile
for s:one in s:found
  call add(s:out, printf('FOUND %d:%d %s %s %s', s:one.lnum, s:one.col, s:one.type, get(s:one, 'code', ''), s:one.text))
endfor
if len(s:found)
  call cursor(s:found[0].lnum, s:found[0].col)
  let g:ale_code_action_title = ''
  call ale#codefix#Execute(0, function('Chosen'))
  let s:round = 0
  while s:round < 100 && join(getline(1, '$')) !~# 'safe_load'
    sleep 50m
    let s:round += 1
  endwhile
  call add(s:out, 'ACTIONS ' . string(map(copy(get(g:, 'items', [])), 'v:val[1].title')))
  call extend(s:out, map(getline(1, '$'), '"TEXT " . v:val'))
endif
call writefile(s:out, $OUT)
qall!
