using System.Security.Cryptography;
using System.Text;
using MedMerge.Models;
using MedMerge.Tensors;
using MemoryMarshal = System.Runtime.InteropServices.MemoryMarshal;

namespace MedMerge.Merging;

/// <summary>
/// Tells whether a weight file is the one that kernel weights were learned for: SHA-256 over the backbone's names and bytes, in
/// hexadecimal, the same for every file format, prefix and classifier.
/// </summary>
internal static class SourceHash
{
    /// <param name="weights">Float32, under the architecture's names.</param>
    public static string Compute(Architecture architecture, StateDict weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in weights)
        {
            if (!IsBackbone(architecture, name) || !tensor.is_floating_point()) continue;
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(tensor.bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The same of tensors in a file, read once, with the checks that <see cref="ModelImport.Import"/> makes.</summary>
    /// <param name="tensors">As <see cref="ModelImport.Find"/> gives them.</param>
    /// <param name="origin">What messages call the file.</param>
    /// <exception cref="InputException">Values are not finite, or variances negative.</exception>
    public static string ComputeChecked(
        Architecture architecture,
        IEnumerable<KeyValuePair<string, StoredTensor>> tensors,
        string origin,
        CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var variances = architecture.Norms.Select(norm => norm.Variance).ToHashSet(StringComparer.Ordinal);
        var values = new float[FloatReader.Piece];
        string? negative = null;
        foreach (var (name, tensor) in tensors)
        {
            var isBackbone = IsBackbone(architecture, name);
            if (isBackbone) hash.AppendData(Encoding.UTF8.GetBytes(name));
            var reader = new FloatReader(tensor);
            for (var first = 0L; first < tensor.Count; first += values.Length)
            {
                cancellation.ThrowIfCancellationRequested();
                var piece = values.AsSpan(0, (int)Math.Min(values.Length, tensor.Count - first));
                reader.Read(first, piece);
                if (!FilterArithmetic.AreFinite(piece)) throw ModelImport.NotFinite(origin, name);
                if (variances.Contains(name) && piece.ContainsAnyInRange(float.NegativeInfinity, -float.Epsilon)) negative ??= name;
                if (isBackbone) hash.AppendData(MemoryMarshal.AsBytes(piece));
            }
        }
        if (negative is not null) throw ModelImport.NegativeVariances(origin, negative);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static bool IsBackbone(Architecture architecture, string name) =>
        !name.StartsWith(architecture.Classifier + ".", StringComparison.Ordinal);
}
