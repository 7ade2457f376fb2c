# Goes on from the number that etcd holds: what is written outlives every part of the mesh.
until number=$(etcdctl get --print-value-only orders); do sleep 1; done
while sleep 1; do
  number=$((${number:-0} + 1))
  etcdctl put orders "$number" >/dev/null && echo "wrote $number, read $(etcdctl get --print-value-only orders)"
done
