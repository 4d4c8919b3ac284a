namespace MedMerge.Tensors.Onnx;

/// <summary>The numbers of the messages' fields that are read or written here (onnx/onnx, onnx/onnx.proto).</summary>
internal static class OnnxSchema
{
    /// <summary>ModelProto.</summary>
    public static class Model
    {
        public const int Version = 1, Producer = 2, Graph = 7, OperatorSet = 8, Metadata = 14;
    }

    /// <summary>OperatorSetIdProto.</summary>
    public static class OperatorSet
    {
        public const int Domain = 1, Version = 2;
    }

    /// <summary>StringStringEntryProto.</summary>
    public static class Entry
    {
        public const int Key = 1, Value = 2;
    }

    /// <summary>GraphProto.</summary>
    public static class Graph
    {
        public const int Node = 1, Name = 2, Initialiser = 5, Input = 11, Output = 12;
    }

    /// <summary>NodeProto.</summary>
    public static class Node
    {
        public const int Input = 1, Output = 2, Name = 3, Type = 4, Attribute = 5;
    }

    /// <summary>AttributeProto.</summary>
    public static class Attribute
    {
        public const int Name = 1, Number = 2, Integer = 3, Tensor = 5, Integers = 8, Type = 20;
    }

    /// <summary>AttributeProto.AttributeType.</summary>
    public static class AttributeType
    {
        public const int Number = 1, Integer = 2, Integers = 7;
    }

    /// <summary>TensorProto.</summary>
    public static class Tensor
    {
        public const int Sizes = 1, Type = 2, Floats = 4, Integers = 5, LongIntegers = 7, Name = 8, Raw = 9, Doubles = 10, Location = 14;
    }

    /// <summary>TensorProto.DataType.</summary>
    public static class TensorType
    {
        public const int Float32 = 1, Int64 = 7;
    }

    /// <summary>ValueInfoProto.</summary>
    public static class Value
    {
        public const int Name = 1, Type = 2;
    }

    /// <summary>TypeProto, of a tensor, and TypeProto.Tensor.</summary>
    public static class ValueType
    {
        public const int Tensor = 1, ElementType = 1, Shape = 2;
    }

    /// <summary>TensorShapeProto, and TensorShapeProto.Dimension.</summary>
    public static class Shape
    {
        public const int Dimension = 1, Size = 1, Name = 2;
    }
}
