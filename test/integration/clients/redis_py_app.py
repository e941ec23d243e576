"""An ordinary app on redis-py, unchanged for nearcache: redis_py_app.py PORT, where PORT is nearcache's."""

import sys
import threading
import unittest

import redis

PORT = int(sys.argv.pop(1))


def connect(**options):
    return redis.Redis(host="127.0.0.1", port=PORT, **options)


class RedisPyApp(unittest.TestCase):
    def setUp(self):
        self.client = connect()
        self.client.flushall()

    def tearDown(self):
        self.client.close()

    def test_reads_what_it_wrote(self):
        self.client.set("greeting", "hello")
        self.client.hset("user", mapping={"name": "ann", "age": 7})
        self.client.zadd("scores", {"ann": 1.5, "bob": 2})
        for _ in range(2):
            self.assertEqual(self.client.get("greeting"), b"hello")
            self.assertIsNone(self.client.get("absent"))
            self.assertEqual(self.client.hgetall("user"), {b"name": b"ann", b"age": b"7"})
            self.assertEqual(self.client.zrange("scores", 0, -1, withscores=True), [(b"ann", 1.5), (b"bob", 2.0)])

    def test_keeps_binary_keys_and_values(self):
        every_byte = bytes(range(256))
        self.client.set(b"\x00\r\n\xff", every_byte)
        self.assertEqual([self.client.get(b"\x00\r\n\xff") for _ in range(2)], [every_byte] * 2)

    def test_keeps_the_order_of_a_pipeline(self):
        pipeline = self.client.pipeline(transaction=False)
        for i in range(1000):
            pipeline.set(f"k{i}", i).get(f"k{i}")
        replies = pipeline.execute()
        self.assertEqual(replies[1::2], [str(i).encode() for i in range(1000)])

    def test_runs_transactions(self):
        self.assertEqual(self.client.pipeline().set("a", 1).incr("a").get("a").execute(), [True, 2, b"2"])

    def test_hears_that_a_watched_key_changed(self):
        with self.client.pipeline() as pipeline:
            pipeline.watch("balance")
            self.client.set("balance", 11)
            pipeline.multi()
            pipeline.set("balance", 12)
            with self.assertRaises(redis.WatchError):
                pipeline.execute()
        self.assertEqual(self.client.get("balance"), b"11")

    def test_pops_what_another_client_pushes_meanwhile(self):
        popped = []
        waiting = threading.Thread(target=lambda: popped.append(connect().blpop("queue", timeout=10)))
        waiting.start()
        self.client.rpush("queue", "job")
        waiting.join()
        self.assertEqual(popped, [(b"queue", b"job")])
        self.assertIsNone(self.client.blpop("queue", timeout=0.05))

    def test_receives_messages_of_channels_and_patterns(self):
        subscriber = self.client.pubsub()
        subscriber.subscribe("news")
        subscriber.psubscribe("n*")
        for _ in range(2):
            self.assertIn(subscriber.get_message(timeout=5)["type"], ("subscribe", "psubscribe"))
        self.assertEqual(self.client.publish("news", "one"), 2)
        heard = sorted(subscriber.get_message(timeout=5)["type"] for _ in range(2))
        self.assertEqual(heard, ["message", "pmessage"])
        subscriber.close()

    def test_runs_a_script_that_redis_has_forgotten(self):
        double = self.client.register_script("return redis.call('incrby', KEYS[1], ARGV[1] * 2)")
        self.assertEqual(double(keys=["n"], args=[2]), 4)
        self.client.script_flush()
        self.assertEqual(double(keys=["n"], args=[1]), 6)
        self.assertEqual(self.client.get("n"), b"6")

    def test_scans_every_key_once(self):
        names = sorted(f"scan:{i}".encode() for i in range(500))
        self.client.mset({name: "" for name in names})
        self.assertEqual(sorted(self.client.scan_iter("scan:*", count=50)), names)

    def test_locks_one_thread_at_a_time(self):
        self.client.set("total", 0)

        def add():
            for _ in range(20):
                with self.client.lock("lock", timeout=30, sleep=0.001):
                    self.client.set("total", int(self.client.get("total")) + 1)

        threads = [threading.Thread(target=add) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.client.get("total"), b"100")

    def test_hears_the_refusals_of_redis(self):
        self.client.acl_setuser("reader", enabled=True, passwords=["+pw"], keys=["public:*"], categories=["+@read"])
        self.client.mset({"public:a": 1, "private:a": 2})
        reader = connect(username="reader", password="pw")
        self.assertEqual([reader.get("public:a"), reader.get("public:a")], [b"1", b"1"])
        with self.assertRaises(redis.exceptions.NoPermissionError):
            reader.get("private:a")
        with self.assertRaisesRegex(redis.RedisError, "invalid username-password pair"):
            connect(username="reader", password="guess").ping()
        with self.assertRaisesRegex(redis.exceptions.ResponseError, "^WRONGTYPE"):
            self.client.lpush("public:a", "x")


if __name__ == "__main__":
    unittest.main()
