"""One line for each URL: its status and the first line of its body, or why there is none."""
import sys
import urllib.error
import urllib.request

for url in sys.argv[1:]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            print(response.status, response.readline().decode().rstrip("\n"))
    except urllib.error.HTTPError as error:
        print(error.code, error.reason)
    except OSError as error:
        print("failed:", error)
