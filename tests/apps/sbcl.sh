#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SBCL on two processors: a Lisp script with sockets of its contrib modules and a thread for each connection, garbage collected
# under load; SIGTERM unwinds it and ends it with the status of its own handler.
# table: SBCL | sbcl | uni pack sbcl
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
cat > server.lisp <<'LISP'
(require :sb-bsd-sockets)
(use-package :sb-bsd-sockets)
(sb-sys:enable-interrupt sb-unix:sigterm (lambda (&rest ignored) (declare (ignore ignored)) (exit :code 7 :abort t)))
(defun answer (stream)
  (let ((numbers (loop for i from 1 to 2000 collect (format nil "~d" i))))
    (format stream "HTTP/1.1 200 OK~c~cContent-Length: 9~c~c~c~cfrom ~4d" #\Return #\Newline #\Return #\Newline #\Return #\Newline
            (length numbers))
    (finish-output stream)))
(defun serve (socket)
  (ignore-errors
    (let ((stream (socket-make-stream socket :input t :output t)))
      (loop for line = (read-line stream nil) while line
            when (= (length line) 1) do (answer stream))))
  (ignore-errors (socket-close socket)))
(let ((listener (make-instance 'inet-socket :type :stream :protocol :tcp)))
  (setf (sockopt-reuse-address listener) t)
  (socket-bind listener #(0 0 0 0) 8080)
  (socket-listen listener 64)
  (loop (let ((socket (socket-accept listener)))
          (sb-thread:make-thread #'serve :arguments (list socket)))))
LISP
pack sbcl.img sbcl -a ./server.lisp:/srv/server.lisp -- --script /srv/server.lisp
guest sbcl.img -m 512M -c 2 -p "$port:8080"
url=http://127.0.0.1:$port
await 60 http "$url/"
same "the answer" "$(http "$url/")" "from 2000"
under_load "$url/"
signal_guest TERM
ended 7 20
