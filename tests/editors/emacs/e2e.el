;;; emacs --batch -Q -l e2e.el FILE: eglot without any package of ours. Exits 0 or 1.
(setq load-prefer-newer t backup-inhibited t create-lockfiles nil)
(let ((default-directory "/usr/share/emacs/site-lisp/elpa/"))
  (when (file-directory-p default-directory) (normal-top-level-add-subdirs-to-load-path)))
(require 'package)
(setq package-directory-list '("/usr/share/emacs/site-lisp/elpa" "/usr/share/emacs/site-lisp/elpa-src"))
(package-initialize)
(require 'eglot)
(require 'flymake)

;; Messages that the server had shown.
(defvar shown nil)

(defun until (what condition)
  "Wait at most 60 s for CONDITION, else fail with WHAT and what there is to see."
  (let ((n 0))
    (while (and (< n 1200) (not (funcall condition)))
      (accept-process-output nil 0.05)
      (setq n (1+ n)))
    (unless (funcall condition)
      (message "FAIL %s\nSHOWN %S\nTEXT %S\nUNREAD %S" what shown (buffer-string)
               (with-current-buffer (process-buffer (jsonrpc--process (eglot--current-server-or-lose))) (buffer-string)))
      (kill-emacs 1))))

(defun execute (command &rest arguments)
  "Ask for COMMAND and wait for its answer.
`jsonrpc-request' leaves the process filter by a `throw' when the answer is there, and what came in the same piece, here
the message of the result, stays unread in the process' buffer until the server says more. So this waits by itself."
  (let (answered)
    (jsonrpc-async-request (eglot--current-server-or-lose) :workspace/executeCommand
                           (list :command command :arguments (vconcat arguments))
                           :success-fn (lambda (_) (setq answered t)))
    (until (format "no answer to %s" command) (lambda () answered))))

(cl-defmethod eglot-handle-notification :before (_server (_method (eql window/showMessage)) &key _type message)
  (push message shown))

(let ((file (expand-file-name (pop command-line-args-left))))
  (setq eglot-sync-connect 10 eglot-connect-timeout 10 eglot-autoshutdown nil
        eglot-confirm-server-initiated-edits nil)
  ;; The settings that docs/editors.md gives.
  (add-to-list 'eglot-server-programs '(python-mode . ("saferun-lsp")))
  (find-file file)
  (python-mode)
  (apply #'eglot (eglot--guess-contact))
  (until "no diagnostics" (lambda () (flymake-start) (flymake-diagnostics)))
  (let* ((d (car (flymake-diagnostics)))
         (actions (append (eglot-code-actions (flymake-diagnostic-beg d) (flymake-diagnostic-end d) nil nil) nil))
         (titles (mapcar (lambda (a) (plist-get a :title)) actions))
         (fix (cl-find-if (lambda (a) (string-match "safe_load" (plist-get a :title))) actions)))
    (message "DIAGNOSTIC %s" (flymake-diagnostic-text d))
    (message "ACTIONS %S" titles)
    (unless (and fix (member "SafeRun: Run in sandbox" titles)) (kill-emacs 1))
    (eglot--apply-workspace-edit (plist-get fix :edit)))
  (until "the edit was not applied" (lambda () (string-match "safe_load" (buffer-string))))
  (eglot--signal-textDocument/didChange) ; batch mode has no idle time, in which eglot does this
  (until "the diagnostic stays" (lambda () (flymake-start) (not (cl-some (lambda (d) (string-match "SR631" (format "%s" (flymake-diagnostic-text d)))) (flymake-diagnostics)))))
  (erase-buffer)
  (insert "print(6 * 7)\n")
  (eglot--signal-textDocument/didChange)
  (execute "saferun.run" (list :uri (eglot--path-to-uri file)))
  (until "no message of the result" (lambda () (cl-some (lambda (m) (string-match "See \\(/.*\\)$" m)) shown)))
  (let ((report (cl-some (lambda (m) (and (string-match "See \\(/.*\\)$" m) (match-string 1 m))) shown)))
    (with-temp-buffer
      (insert-file-contents report)
      (message "REPORT %s" (buffer-string))
      (unless (string-match "\n42\n" (buffer-string)) (kill-emacs 1))))
  (eglot-shutdown (eglot--current-server-or-lose))
  (set-buffer-modified-p nil)
  (message "PASS")
  (kill-emacs 0))
