import type { Group } from '../script.ts';

export const geo: Group = {
  name: 'geo',
  plain: {
    'GEOADD, GEOPOS, GEODIST and GEOHASH': `
      GEOPOS geo Palermo Catania
      GEOPOS geo Palermo nope
      GEOPOS geo nope
      GEOPOS geo
      GEOPOS missing a b
      GEOPOS missing
      GEOPOS str a
      GEODIST geo Palermo Catania
      GEODIST geo Palermo Catania km
      GEODIST geo Palermo nope
      GEODIST missing a b
      GEODIST str a b
      GEODIST geo Palermo Catania NOPE
      GEOHASH geo Palermo nope
      GEOHASH missing a
      GEOHASH missing
      GEOHASH str a
      GEOADD geo NX 1 1 Palermo 2 2 new
      GEOADD geo XX CH 13 38 Palermo
      GEOADD geo XX 1 1 nope
      GEOADD geo 200 1 x
      GEOADD geo x 1 x
      GEOADD geo NX XX 1 1 x
      GEOADD str 1 1 x
      GEOPOS geo Palermo new
      GEODIST geo Palermo Catania
      GEOHASH geo Palermo`,
    'GEOSEARCH and GEOSEARCHSTORE': `
      GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km ASC
      GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHDIST
      GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHCOORD WITHDIST WITHHASH
      GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km DESC WITHCOORD
      GEOSEARCH geo FROMMEMBER Palermo BYBOX 400 400 km ASC COUNT 1
      GEOSEARCH geo FROMMEMBER Palermo BYBOX 400 400 km COUNT 1 ANY
      GEOSEARCH geo FROMMEMBER nope BYRADIUS 1 km
      GEOSEARCH geo FROMLONLAT 0 0 BYRADIUS 1 m
      GEOSEARCH geo FROMLONLAT 0 0 BYRADIUS 1 m WITHCOORD
      GEOSEARCH missing FROMLONLAT 0 0 BYRADIUS 1 m
      GEOSEARCH str FROMLONLAT 0 0 BYRADIUS 1 m
      GEOSEARCH geo FROMLONLAT 15 37 ASC COUNT 1 WITHDIST
      GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS -1 km
      GEOSEARCHSTORE dest geo FROMLONLAT 15 37 BYRADIUS 200 km ASC
      ZRANGE dest 0 -1 WITHSCORES
      GEOSEARCHSTORE dest geo FROMLONLAT 15 37 BYRADIUS 200 km ASC STOREDIST
      ZRANGE dest 0 -1 WITHSCORES
      GEOSEARCHSTORE dest geo FROMLONLAT 0 0 BYRADIUS 1 m
      ZRANGE dest 0 -1 WITHSCORES
      GEOSEARCHSTORE dest str FROMLONLAT 0 0 BYRADIUS 1 m
      GEOSEARCHSTORE dest missing FROMLONLAT 0 0 BYRADIUS 1 m
      ZREM geo Palermo
      GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHCOORD`,
    'GEORADIUS and GEORADIUSBYMEMBER': `
      GEORADIUS geo 15 37 200 km ASC
      GEORADIUS geo 15 37 200 km WITHDIST ASC
      GEORADIUS geo 15 37 200 km WITHCOORD WITHDIST WITHHASH ASC
      GEORADIUS geo 0 0 1 m
      GEORADIUS missing 0 0 1 m WITHCOORD
      GEORADIUS str 0 0 1 m
      GEORADIUS geo 15 37 200 km STORE dest
      ZRANGE dest 0 -1 WITHSCORES
      GEORADIUS geo 15 37 200 km STOREDIST dest
      ZRANGE dest 0 -1 WITHSCORES
      GEORADIUS geo 0 0 1 m STORE dest
      ZRANGE dest 0 -1
      GEORADIUS geo 15 37 200 km WITHDIST STORE dest
      GEORADIUS_RO geo 15 37 200 km WITHCOORD ASC
      GEORADIUS_RO geo 0 0 1 m
      GEORADIUS_RO str 0 0 1 m
      GEORADIUS_RO geo 15 37 200 km STORE dest
      GEORADIUSBYMEMBER geo Palermo 200 km WITHDIST WITHCOORD ASC
      GEORADIUSBYMEMBER geo Palermo 200 km STORE dest
      GEORADIUSBYMEMBER geo nope 200 km
      GEORADIUSBYMEMBER missing a 1 m
      GEORADIUSBYMEMBER str a 1 m
      GEORADIUSBYMEMBER_RO geo Palermo 200 km WITHDIST ASC
      GEORADIUSBYMEMBER_RO missing a 1 m
      GEORADIUSBYMEMBER_RO str a 1 m
      ZRANGE dest 0 -1 WITHSCORES`,
  },
};
