-- The float with live output. Text arrives harmless from the server; lines are bounded here.
local M = {}

local MOST_LINES = 10000
local runs = {}
local last

local function window(run)
  if run.window and vim.api.nvim_win_is_valid(run.window) then
    return
  end
  local width = math.max(20, math.min(100, vim.o.columns - 4))
  local height = math.max(3, math.min(16, vim.o.lines - 6))
  run.window = vim.api.nvim_open_win(run.buffer, false, {
    relative = 'editor',
    row = math.max(0, vim.o.lines - height - 4),
    col = math.max(0, vim.o.columns - width - 2),
    width = width,
    height = height,
    border = 'rounded',
    title = ' ' .. run.title .. ' ',
    style = 'minimal',
  })
end

local function append(run, text)
  if not vim.api.nvim_buf_is_valid(run.buffer) then
    return
  end
  local lines = vim.split(run.partial .. text, '\n', { plain = true })
  run.partial = lines[#lines]
  vim.bo[run.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(run.buffer, -2, -1, false, lines)
  local count = vim.api.nvim_buf_line_count(run.buffer)
  if count > MOST_LINES then
    vim.api.nvim_buf_set_lines(run.buffer, 0, count - MOST_LINES, false, { '[the beginning is left out]' })
  end
  vim.bo[run.buffer].modifiable = false
  if run.window and vim.api.nvim_win_is_valid(run.window) then
    vim.api.nvim_win_set_cursor(run.window, { vim.api.nvim_buf_line_count(run.buffer), 0 })
  end
end

function M.started(params)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'hide'
  vim.bo[buffer].modifiable = false
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buffer })
  if last and runs[last] and runs[last].window and vim.api.nvim_win_is_valid(runs[last].window) then
    vim.api.nvim_win_close(runs[last].window, true)
  end
  local run = { buffer = buffer, title = params.title, partial = '', done = false }
  runs[params.token] = run
  last = params.token
  window(run)
end

function M.event(params)
  local run = runs[params.token]
  if not run then
    return
  end
  if params.event.event == 'output' then
    append(run, params.event.text)
  elseif params.event.event == 'accepted' and #params.event.findings > 0 then
    append(run, ('risk %s, %d finding(s)\n'):format(params.event.risk, #params.event.findings))
  end
end

-- What a traced run did, the surprises first, and what it would have changed. The server made all but paths harmless.
local function tell(run, story, result)
  local lines = {}
  local function add(text)
    lines[#lines + 1] = (text:gsub('%c', '?')) .. '\n'
  end
  for _, part in ipairs(story) do
    add('── ' .. part.title)
    for _, line in ipairs(part.lines) do
      add('   ' .. line.text)
    end
    for _, note in ipairs(part.notes) do
      add('   ' .. note)
    end
  end
  local effects = type(result.effects) == 'table' and result.effects or { changes = {} }
  for index, change in ipairs(effects.changes) do
    if index == 1 then
      add('── what it would have changed')
    elseif index > 50 then
      add(('   and %d more'):format(#effects.changes - 50))
      break
    end
    add(('   %s %s%s'):format(change.kind, change.place == 'home' and '~/' or '', change.path))
  end
  append(run, table.concat(lines))
end

function M.finished(params)
  local run = runs[params.token]
  if not run then
    return
  end
  run.done = true
  run.result = params.result
  local said = params.error or params.result.message
  if run.partial ~= '' then
    append(run, '\n')
  end
  append(run, '── ' .. said:gsub('\n', ' ') .. '\n')
  if params.result then
    append(run, ('   %.0f ms, policy %s, %s. Close with q\n'):format(
      params.result.usage.wall_ms, params.result.policy, params.result.sandbox.runtime))
    tell(run, params.story or {}, params.result)
  end
  -- Buffers of earlier runs go; the last one can be shown again.
  for token, other in pairs(runs) do
    if token ~= last and other.done then
      if vim.api.nvim_buf_is_valid(other.buffer) then
        vim.api.nvim_buf_delete(other.buffer, { force = true })
      end
      runs[token] = nil
    end
  end
  vim.api.nvim_exec_autocmds('User', { pattern = 'SafeRunFinished', data = params })
  vim.cmd.redrawstatus()
end

-- Asks for a reason with vim.ui.input, which plugins may replace. An empty answer means no.
function M.reason(params)
  local asked, is_main = coroutine.running()
  if not asked or is_main then
    return vim.NIL
  end
  vim.ui.input({ prompt = 'SafeRun: ' .. params.message .. ' Reason to run it anyway: ' }, function(answer)
    -- A prompt may answer before this function waits.
    vim.schedule(function() coroutine.resume(asked, answer) end)
  end)
  local answer = coroutine.yield()
  if not answer or answer == '' then
    return vim.NIL
  end
  return { reason = answer }
end

function M.show()
  local run = last and runs[last]
  if not run then
    vim.notify('SafeRun: nothing ran yet')
    return
  end
  window(run)
  vim.api.nvim_set_current_win(run.window)
end

-- How many runs are under way.
function M.running()
  local count = 0
  for _, run in pairs(runs) do
    if not run.done then
      count = count + 1
    end
  end
  return count
end

return M
