namespace MedMerge.Models.Onnx;

/// <summary>The operations of ONNX that networks here consist of, by its names.</summary>
internal static class OnnxOperations
{
    public const string Conv = "Conv";
    public const string BatchNormalization = "BatchNormalization";
    public const string Gemm = "Gemm";
    public const string MatMul = "MatMul";
    public const string Add = "Add";
    public const string Relu = "Relu";
    public const string Clip = "Clip";
    public const string Concat = "Concat";
    public const string MaxPool = "MaxPool";
    public const string AveragePool = "AveragePool";
    public const string GlobalAveragePool = "GlobalAveragePool";
    public const string ReduceMean = "ReduceMean";
    public const string Flatten = "Flatten";
    public const string Slice = "Slice";
    public const string Pad = "Pad";
}
