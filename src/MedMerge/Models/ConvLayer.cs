namespace MedMerge.Models;

/// <summary>A convolution without bias and the batch norm behind it; padding is half the kernel.</summary>
/// <param name="Name">Its name in the state dictionary, such as <c>layer1.0.conv1</c>.</param>
/// <param name="BatchNorm">Its batch norm's name, such as <c>layer1.0.bn1</c>.</param>
public sealed record ConvLayer(string Name, string BatchNorm, int In, int Out, int Kernel, int Stride)
{
    /// <summary>The weight's shape, [out, in, kernel, kernel].</summary>
    public long[] Shape => [Out, In, Kernel, Kernel];

    /// <summary>Zeros added on each side.</summary>
    public int Padding => Kernel / 2;
}
