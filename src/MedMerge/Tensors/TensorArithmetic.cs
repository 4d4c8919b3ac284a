using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Tensors;

/// <summary>
/// Arithmetic between tensors and numbers that is safe under garbage collection. TorchSharp's own operators wrap each number (and the
/// hidden factor 1 of <c>a + b</c>) in a <see cref="Scalar"/> that nothing refers to once its handle is read; a collection at that moment
/// frees it while libtorch reads it: seen here as a wrong number or an error, once in some million operations. These methods keep it
/// alive; BannedSymbols.txt keeps the operators out. Can go once dotnet/TorchSharp pull requests 1434 and 1496 are released.
/// </summary>
internal static class TensorArithmetic
{
#pragma warning disable RS0030 // the one place that makes scalars
    private static readonly Scalar One = 1;

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, double b)
    {
        using Scalar scalar = b;
        return a.add(scalar, One);
    }

    /// <summary>a · b.</summary>
    public static Tensor Times(this Tensor a, double b)
    {
        using Scalar scalar = b;
        return a.mul(scalar);
    }

    /// <summary>a / b.</summary>
    public static Tensor Over(this Tensor a, double b)
    {
        using Scalar scalar = b;
        return a.div(scalar);
    }

    /// <summary>a².</summary>
    public static Tensor Squared(this Tensor a) => a.mul(a);

    /// <summary>max(a, b).</summary>
    public static Tensor AtLeast(this Tensor a, double b)
    {
        using Scalar scalar = b;
        return a.clamp_min(scalar);
    }

    /// <summary>min(a, b).</summary>
    public static Tensor AtMost(this Tensor a, double b)
    {
        using Scalar scalar = b;
        return a.clamp_max(scalar);
    }

    /// <summary>a ← a + b.</summary>
    public static Tensor Add(this Tensor a, Tensor b) => a.add_(b, One);

    /// <summary>a ← a + factor · b.</summary>
    public static Tensor Add(this Tensor a, Tensor b, double factor)
    {
        using Scalar scalar = factor;
        return a.add_(b, scalar);
    }

    /// <summary>a ← a · factor.</summary>
    public static Tensor Scale(this Tensor a, double factor)
    {
        using Scalar scalar = factor;
        return a.mul_(scalar);
    }

    /// <summary>a ← a + factor · b · c.</summary>
    public static Tensor AddProduct(this Tensor a, Tensor b, Tensor c, double factor)
    {
        using Scalar scalar = factor;
        return a.addcmul_(b, c, scalar);
    }

    /// <summary>a ← a + factor · b / c.</summary>
    public static Tensor AddQuotient(this Tensor a, Tensor b, Tensor c, double factor)
    {
        using Scalar scalar = factor;
        return a.addcdiv_(b, c, scalar);
    }
#pragma warning restore RS0030
}
