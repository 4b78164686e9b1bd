-- The commands and the statusline function. All work is the server's.
local M = {}

local function client_of(buffer)
  return vim.lsp.get_clients({ bufnr = buffer, name = 'saferun' })[1]
end

-- Asks a server to do something; `done` gets its answer.
local function ask(client, buffer, name, arguments, done)
  client:request('workspace/executeCommand', { command = name, arguments = arguments }, function(err, result)
    if err then
      vim.notify('SafeRun: ' .. err.message, vim.log.levels.ERROR)
    elseif done then
      done(result)
    end
  end, buffer)
end

-- The same of the server of this buffer.
local function execute(name, arguments, done)
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    vim.notify('SafeRun: the language server does not run in this buffer; see :checkhealth saferun', vim.log.levels.ERROR)
    return
  end
  ask(client, buffer, name, arguments, done)
end

local function uri()
  return vim.uri_from_bufnr(0)
end

-- Runs the buffer; with a range (:'<,'>SafeRun) those lines with what they need; in Markdown the block at the cursor.
function M.run(args)
  local wish = { uri = uri() }
  if args and args.range and args.range > 0 then
    wish.range = {
      start = { line = args.line1 - 1, character = 0 },
      ['end'] = { line = args.line2, character = 0 },
    }
  elseif vim.bo.filetype == 'markdown' then
    local line = vim.api.nvim_win_get_cursor(0)[1] - 1
    wish.range = { start = { line = line, character = 0 }, ['end'] = { line = line, character = 0 } }
  end
  execute('saferun.run', { wish })
end

function M.run_with_override(args)
  local reason = args and args.args ~= '' and args.args or nil
  execute('saferun.runWithOverride', { { uri = uri(), overrideReason = reason } })
end

function M.cancel()
  execute('saferun.cancel', {}, function(result)
    vim.notify(('SafeRun: %d run(s) cancelled'):format(result.cancelled))
  end)
end

function M.clear()
  execute('saferun.clearResults', { uri() })
end

function M.output()
  require('saferun.run').show()
end

function M.history()
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  execute('saferun.history', {}, function(all)
    require('saferun.history').show(all, function(id, done)
      ask(client, buffer, 'saferun.account', { id }, function(result) done(result.path) end)
    end)
  end)
end

function M.status()
  execute('saferun.status', { uri() }, function(result)
    local daemon = result.daemon
    if not daemon or daemon == vim.NIL then
      vim.notify('SafeRun: no daemon runs; the first run starts it')
      return
    end
    vim.notify(('SafeRun: daemon %s, policy %s'):format(daemon.daemon and daemon.daemon.version or '', (daemon.policy or {}).name or ''))
  end)
end

-- For 'statusline': %{v:lua.require'saferun'.statusline()}. Counts what stands in the buffer; asks nobody.
function M.statusline()
  local running = require('saferun.run').running()
  if running > 0 then
    return 'SafeRun ▶' .. running
  end
  if not client_of(vim.api.nvim_get_current_buf()) then
    return ''
  end
  local worst = 'LOW'
  local order = { LOW = 0, MEDIUM = 1, HIGH = 2, BLOCKED = 3 }
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    if diagnostic.source == 'SafeRun' then
      local level = diagnostic.message:match('^(%u+):')
      if level and order[level] and order[level] > order[worst] then
        worst = level
      end
    end
  end
  return 'SafeRun ' .. worst
end

return M
