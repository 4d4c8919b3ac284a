using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MedMerge.Grains.Placement;

/// <summary>
/// Chooses a silo by a grain's key alone, so that every node chooses the same one. The shards of one stage go to one silo after the other, and a shard that
/// is placed anew goes to the next.
/// </summary>
internal static class SiloChoice
{
    /// <summary>The silo for a grain.</summary>
    /// <param name="key"><c>DEVICE/STAGE</c>, or <c>DEVICE/STAGE/SHARD/PLACEMENT</c>.</param>
    /// <param name="silos">In any order, each with the kind of device that it has.</param>
    /// <exception cref="OrleansException">None has the device.</exception>
    public static T For<T>(string key, IEnumerable<(T Silo, string? Device)> silos)
    {
        var parts = key.Split('/');
        var fit = silos.Where(silo => silo.Device == parts[0]).Select(silo => silo.Silo).Order().ToArray();
        if (fit.Length == 0) throw new OrleansException($"No node has the device '{parts[0]}' now. A node says what it has by Orleans__Metadata__device.");
        ulong start = BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(parts[1])));
        var turn = parts.Length > 3 ? Number(parts[2]) + Number(parts[3]) : 0;
        return fit[(start + turn) % (ulong)fit.Length];
    }

    private static ulong Number(string text) => ulong.Parse(text, CultureInfo.InvariantCulture);
}
