using System.Security.Cryptography;
using System.Text;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Merging;

/// <summary>Tells whether a weight file is the one that kernel weights were learned for.</summary>
internal static class SourceHash
{
    /// <summary>
    /// SHA-256 over the backbone's names and bytes, in hexadecimal: the same for every file format, prefix and
    /// classifier.
    /// </summary>
    public static string Compute(Architecture architecture, StateDict weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in weights)
        {
            if (name.StartsWith(architecture.Classifier + ".", StringComparison.Ordinal) || !tensor.is_floating_point()) continue;
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(tensor.bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
