// SPDX-License-Identifier: Apache-2.0
// An HTTP server on Rust's standard library, a thread per connection: "/" greets, "/quit" answers and ends with status 0.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

fn serve(stream: TcpStream, hits: Arc<Mutex<HashMap<String, u32>>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut out = stream;
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let path = request.split(' ').nth(1).unwrap_or("/").to_string();
        let count = {
            let mut map = hits.lock().unwrap();
            let count = map.entry(path.clone()).or_insert(0);
            *count += 1;
            *count
        };
        let body = if path == "/quit" { "bye\n".to_string() } else { format!("hello from rust {}\n", count) };
        write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.len(), body)?;
        if path == "/quit" {
            out.shutdown(Shutdown::Write)?;
            while reader.read_line(&mut line)? > 0 {}
            std::process::exit(0);
        }
    }
}

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_string());
    let listener = TcpListener::bind(format!("0.0.0.0:{}", port))?;
    let hits = Arc::new(Mutex::new(HashMap::new()));
    println!("listening");
    for stream in listener.incoming() {
        let stream = stream?;
        let hits = hits.clone();
        thread::spawn(move || {
            let _ = serve(stream, hits);
        });
    }
    Ok(())
}
