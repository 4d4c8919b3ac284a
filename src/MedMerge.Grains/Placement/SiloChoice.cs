using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MedMerge.Grains.Placement;

/// <summary>Chooses a silo by a grain's key alone, so that every node chooses the same one.</summary>
internal static class SiloChoice
{
    /// <summary>The message where no node has a kind of device.</summary>
    public static string NoneHas(string device) =>
        $"No node has the device '{device}' now; what needs it waits for one. A node says what it has by Orleans__Metadata__device.";

    /// <summary>The silo for a grain.</summary>
    /// <param name="key">Starts with <c>DEVICE/STAGE</c>.</param>
    /// <param name="silos">In any order, each with the kind of device that it has.</param>
    /// <param name="hint">The silo that the caller prefers, if it has the device.</param>
    /// <exception cref="OrleansException">None has the device.</exception>
    public static T For<T>(string key, IEnumerable<(T Silo, string? Device)> silos, T? hint = default)
    {
        var parts = key.Split('/');
        var fit = silos.Where(silo => silo.Device == parts[0]).Select(silo => silo.Silo).Order().ToArray();
        if (fit.Length == 0) throw new OrleansException(NoneHas(parts[0]));
        if (hint is not null && fit.Contains(hint)) return hint;
        ulong start = BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(parts[1])));
        return fit[start % (ulong)fit.Length];
    }

    /// <summary>Decides between nodes that are equal otherwise: the same everywhere, another for every key.</summary>
    public static uint Rank(string key, string node) =>
        BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{key}/{node}")));
}
